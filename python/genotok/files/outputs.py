"""Outputs: the one rule of what may be written where, asked before the work begins.

- What does not exist is written atomically; an empty file counts as not there.
- `-` is standard output; devices and FIFOs are written to as they are.
- A file that is there stays, and the command says so at once; `--force` replaces it. Two kinds of output can
  be made again without it. One whose making takes no time is compared: the same bytes are no loss
  (`COMPARE`). A trained tokenizer replaces the one before, which is kept under a numbered name (`KEEP`).
- A file that is no output of this kind, or that the command reads, is not replaced with `--force` either.
- An output belongs to one run at a time: a second one is refused, and hears who is at it.
"""

from __future__ import annotations

import errno
import glob
import os
import stat
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from genotok import _native
from genotok.errors import ArgumentError
from genotok.files.atomic import STANDARD_OUTPUT, is_stream, sync_folder, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from genotok.files.kinds import Kind

__all__ = [
    "Existing",
    "FileOutput",
    "check_file",
    "is_claimed",
    "is_internal",
    "named",
    "output_file",
    "write_files",
]

LARGEST_PROBE = 1 << 24
"""A larger result is not tried out: a full disk is then found when it is written."""

STANDARD_NAMES = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}
"""Names of standard output. Where it leads to a file, opening them would begin that file again."""


class Existing(Enum):
    """What becomes of a file of the same kind that is there."""

    REFUSE = auto()
    """It stays, unless the user forces it away."""
    COMPARE = auto()
    """It stays; if it has the very bytes that were to be written, that is no fault."""
    KEEP = auto()
    """It is kept under a numbered name, and the new file gets its name."""


@dataclass(slots=True)
class FileOutput:
    """A file to be written, or standard output, while it belongs to this run.

    Attributes:
        path: As the user named it; `-` for all names of standard output.
        kept: After `write`, the name of the file that was there, if it was kept.
        is_unchanged: After `write`, whether the file was there already, with the same bytes.
    """

    path: str
    existing: Existing = Existing.REFUSE
    force: bool = False
    kept: str = field(default="", init=False)
    is_unchanged: bool = field(default=False, init=False)

    @property
    def described(self) -> str:
        """The path for a report, and what became of the file that was there."""
        path = "standard output" if self.path == STANDARD_OUTPUT else self.path
        if self.is_unchanged:
            return f"{path}, as it was"
        return f"{path}; the one before is kept as {self.kept}" if self.kept else path

    def write(self, data: bytes) -> None:
        """Write all of it.

        Raises:
            ArgumentError: There is another file, which stays.
            OSError: It cannot be written.
        """
        if not is_stream(self.path) and os.path.exists(self.path):
            with open(self.path, "rb") as file:
                before = file.read()
            if before == data:
                self.is_unchanged = True
                return
            if before and not self.force:
                if self.existing is not Existing.KEEP:
                    raise _is_there(self.path)
                self.kept = _keep(self.path)
        write_whole(self.path, data)


@contextmanager
def output_file(
    path: str,
    kind: Kind,
    *,
    inputs: Iterable[str] = (),
    existing: Existing = Existing.REFUSE,
    force: bool = False,
    num_bytes: int = 0,
) -> Iterator[FileOutput]:
    """An output, claimed for this run for the time of a `with` block, if the rule allows it.

    Args:
        path: The file as the user named it, or `-`.
        kind: What it is to hold.
        inputs: Files and patterns that the command reads.
        existing: What becomes of a file of this kind that is there.
        force: Replace it, without a copy.
        num_bytes: How large it will be, about; so much must fit on the disk.

    Raises:
        ArgumentError: The file is there and stays, or another run writes it.
        OSError: No file can be made there.
    """
    path = named(path)
    if is_stream(path):
        if path == STANDARD_OUTPUT and not kind.is_text and os.isatty(1):
            raise ArgumentError("output=-: binary data would go to the terminal; name a file, or a program")
        yield FileOutput(path)
        return
    _check_writable(path, num_bytes)
    claim = _native.Claim(path)
    try:
        check_file(path, kind, inputs=inputs, existing=existing, force=force)
        yield FileOutput(path, existing, force)
    finally:
        claim.release()


def check_file(
    path: str,
    kind: Kind,
    *,
    inputs: Iterable[str] = (),
    existing: Existing = Existing.REFUSE,
    force: bool = False,
) -> None:
    """An error if there is something at `path` that stays there.

    Raises:
        ArgumentError: A file that is read, or of another kind, or that nobody allowed to be replaced.
        OSError: A folder, or the folder around it is missing.
    """
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "the output's folder does not exist; make it first", folder)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "is a folder; name a file in it", path)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(there.st_mode):
        return
    if source := _input_at(there, inputs):
        raise ArgumentError(f"{path}: is read by this command{source}; choose another output")
    if not there.st_size:
        return
    if not kind.is_ours(path):
        raise ArgumentError(f"{path}: exists and is not {kind.name}; remove it, or choose another output")
    if existing is Existing.REFUSE and not force:
        raise _is_there(path)


def write_files(folder: str | os.PathLike[str], texts: Mapping[str, str], *, force: bool) -> None:
    """Write small files into a folder, which is made if need be; asked for all before one is written.

    Raises:
        ArgumentError: One is there with other contents, and `force` is not given.
        OSError: One cannot be written.
    """
    paths = {os.path.join(folder, name): text.encode() for name, text in texts.items()}
    for path, data in paths.items():
        if os.path.isfile(path) and os.path.getsize(path) and not force:
            with open(path, "rb") as file:
                if file.read(len(data) + 1) != data:
                    raise ArgumentError(f"{path}: is there already with other contents; give force=True")
    if not os.path.isdir(folder):
        os.mkdir(folder)
    for path, data in paths.items():
        write_whole(path, data)


def is_claimed(path: str) -> bool:
    """Whether another run writes the file at `path` now."""
    try:
        _native.Claim(path).release()
    except ArgumentError:
        return True
    return False


def named(path: str) -> str:
    """`path`, or `-` if it is another name of standard output."""
    return STANDARD_OUTPUT if path in STANDARD_NAMES else path


def is_internal(name: str) -> bool:
    """Whether a file of this name is one of genotok's own beside outputs: unfinished, or a claim."""
    return name.startswith(".genotok-")


def _is_there(path: str) -> ArgumentError:
    return ArgumentError(f"{path}: is there already; --force replaces it")


def _input_at(there: os.stat_result, inputs: Iterable[str]) -> str:
    """How the user named the input that is this very file, in words; nothing if none is."""
    for given in inputs:
        path = os.path.expanduser(given)
        is_pattern = glob.has_magic(path) and not os.path.exists(path)
        for found in glob.iglob(path, recursive=True) if is_pattern else [path]:
            try:
                if os.path.samestat(os.stat(found), there):
                    return f" (as {given})"
            except OSError:
                continue  # whoever reads it complains
    return ""


def _check_writable(path: str, num_bytes: int) -> None:
    """An error if no file of `num_bytes` can be made where `path` leads to; leaves nothing behind."""
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        shown = os.path.dirname(path) or "." if not os.path.islink(path) else folder
        raise FileNotFoundError(errno.ENOENT, "the output's folder does not exist; make it first", shown)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "is a folder; name a file in it", path)
    try:
        # Where the system can, a file without a name; else one that is removed at once.
        with tempfile.TemporaryFile(dir=folder, prefix=".genotok-", suffix=".tmp") as probe:
            probe.write(bytes(min(num_bytes, LARGEST_PROBE)))
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def _keep(path: str) -> str:
    """Give the file at `path` one more name, the first of `path.1`, `path.2`, ... that is free; that name."""
    target = os.path.realpath(path)
    number = 1
    while True:
        kept = f"{target}.{number}"
        try:
            os.link(target, kept)
        except FileExistsError:
            number += 1
        else:
            sync_folder(os.path.dirname(kept))
            return kept if os.path.islink(path) else f"{path}.{number}"
