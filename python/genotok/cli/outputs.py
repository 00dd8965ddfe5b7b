"""Can the result be written? Asked before the work, so that hours are not lost to a name.

Every output is written whole or not at all, under another name first; what is there is replaced only if it is
of the same kind.
"""

import errno
import os
import stat
import tempfile

from genotok.errors import ArgumentError

__all__ = ["check_packed_file", "check_page", "check_record", "check_tokenizer"]

BYTES_PER_TOKEN = 64
"""What a token takes in tokenizer.json, about."""

LARGEST_PROBE = 1 << 24
"""A larger result is not tried out: a full disk is then found when it is written."""


def check_tokenizer(path: str, vocab_size: int = 0) -> None:
    """An error if a tokenizer of `vocab_size` tokens cannot be written to `path`."""
    _check_writable(path, min(vocab_size * BYTES_PER_TOKEN, LARGEST_PROBE))
    _check_replaceable(path, "tokenizer", b"{")


def check_packed_file(path: str) -> None:
    """An error if a packed file cannot be written to `path`."""
    _check_writable(path)
    _check_replaceable(path, "packed file", b"GENOTOK")


def check_record(path: str) -> None:
    """An error if a record cannot be written to `path`."""
    _check_writable(path)
    _check_replaceable(path, "record", b"{")


def check_page(path: str) -> None:
    """An error if a report cannot be written to `path`."""
    _check_writable(path)
    _check_replaceable(path, "report", b"<!doctype html>")


def _check_writable(path: str, num_bytes: int = 0) -> None:
    """An error if a file of `num_bytes` cannot be made at `path`; leaves nothing behind.

    Raises:
        FileNotFoundError, NotADirectoryError: The folder does not exist.
        IsADirectoryError: `path` is a folder.
        PermissionError: The folder is not writable.
        OSError: The disk is full (ENOSPC), or `path` is a device or a pipe, not a file.
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


def _check_replaceable(path: str, kind: str, start: bytes) -> None:
    """An error if there is a file at `path` and it is not of its kind, to judge by how it starts.

    It guards against `-o genomes/*.fa`, where the shell makes a genome the output.
    """
    try:
        with open(path, "rb") as existing:
            found = existing.read(64).lstrip()
    except FileNotFoundError:
        return
    if found and not found.startswith(start):
        raise ArgumentError(f"{path}: exists and is not a {kind}; remove it, or choose another output")
