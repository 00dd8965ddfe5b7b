"""Can the result be written? Asked before the work, so that hours are not lost to a name."""

import errno
import os
import stat
import tempfile

from genotok.errors import ArgumentError

__all__ = ["check_replaceable", "check_writable"]


def check_writable(path: str, num_bytes: int = 0) -> None:
    """An error if a file of `num_bytes` cannot be made at `path`; leaves nothing behind.

    Raises:
        FileNotFoundError, NotADirectoryError: The folder does not exist.
        IsADirectoryError: `path` is a folder.
        PermissionError: The folder is not writable.
        OSError: The disk is full (ENOSPC), or `path` is a device or a pipe, which cannot be replaced by a
        file.
    """
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "the output's folder does not exist; make it first", folder)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "is a folder; name a file in it", path)
    if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "is not a regular file and cannot be replaced by one", path)
    try:
        # Where the system can, a file without a name; else one that is removed at once.
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(num_bytes))
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def check_replaceable(path: str) -> None:
    """An error if `path` is a file, but not a JSON file.

    It guards against `-o genomes/*.fa`, where the shell makes a genome the output.
    """
    try:
        with open(path, "rb") as existing:
            start = existing.read(64).lstrip()
    except FileNotFoundError:
        return
    if start and not start.startswith(b"{"):
        raise ArgumentError(
            f"{path}: exists and is not a tokenizer file; remove it, or choose another output"
        )
