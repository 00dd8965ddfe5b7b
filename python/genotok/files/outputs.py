"""Outputs: what a command may write where, checked before its work starts.

- A path that does not exist is written atomically; an empty file counts as missing.
- `-` is standard output; devices and FIFOs are written to directly.
- An existing file stays, and the command reports it at once; `--force` replaces it. Two kinds of output need
  no `--force`. One that takes no time to make is compared: equal bytes are no error (`COMPARE`). A trained
  tokenizer replaces the old one, which is kept under a numbered name (`KEEP`).
- A file of another kind, or one that the command reads, is never replaced, even with `--force`.
- An output belongs to one run at a time: a second run is refused, and the error names the first one.
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

from genotok._native import Claim
from genotok.errors import ArgumentError
from genotok.files.atomic import STANDARD_OUTPUT, is_stream, write_atomic
from genotok.files.reading import open_reading
from genotok.files.syncing import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from genotok.files.kinds import OutputKind

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

MAX_PROBE = 1 << 24
"""Bytes. No more is written as a probe; a disk too full for more is detected when the output is written."""

STANDARD_NAMES = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}
"""Names of standard output. Where it is a file, opening them would overwrite that file from its start."""


class Existing(Enum):
    """What happens to an existing file of the same kind."""

    REFUSE = auto()
    """It stays, unless the user gives `--force`."""
    COMPARE = auto()
    """It stays; if it has the bytes that were to be written, that is no error."""
    KEEP = auto()
    """It is renamed to a numbered name, and the new file gets its name."""


@dataclass(slots=True)
class FileOutput:
    """An output file, or standard output, while this run has the claim to it.

    Attributes:
        path: As the user named it; `-` for each name of standard output.
        kept: After `write`, the numbered name of the old file, if it was kept.
        is_unchanged: After `write`, whether the file existed with the same bytes.
    """

    path: str
    existing: Existing = Existing.REFUSE
    force: bool = False
    kept: str = field(default="", init=False)
    is_unchanged: bool = field(default=False, init=False)

    @property
    def described(self) -> str:
        """The path as a report shows it, and what happened to the old file."""
        path = "standard output" if self.path == STANDARD_OUTPUT else self.path
        if self.is_unchanged:
            return f"{path}, as it was"
        return f"{path}; the one before is kept as {self.kept}" if self.kept else path

    def write(self, data: bytes) -> None:
        """Write the output.

        Raises:
            ArgumentError: Another file exists there, and stays.
            OSError: It cannot be written.
        """
        if not is_stream(self.path) and os.path.exists(self.path):
            with open_reading(self.path) as file:
                before = file.read()
            if before == data:
                self.is_unchanged = True
                return
            if before and not self.force:
                if self.existing is not Existing.KEEP:
                    raise _is_there(self.path)
                self.kept = _keep(self.path)
        write_atomic(self.path, data)


@contextmanager
def output_file(
    path: str,
    kind: OutputKind,
    *,
    inputs: Iterable[str] = (),
    existing: Existing = Existing.REFUSE,
    force: bool = False,
    num_bytes: int = 0,
) -> Iterator[FileOutput]:
    """An output, claimed for this run for the duration of a `with` block.

    Args:
        path: The file as the user named it, or `-`.
        kind: Its kind.
        inputs: Files and patterns that the command reads.
        existing: What happens to an existing file of this kind.
        force: Whether to replace an existing file, without a copy.
        num_bytes: Its expected size, about; the disk must have this much space.

    Raises:
        ArgumentError: The file exists and may not be replaced, or another run writes it.
        OSError: No file can be created there.
    """
    path = named(path)
    if is_stream(path):
        if path == STANDARD_OUTPUT and not kind.is_text and os.isatty(1):
            raise ArgumentError("output=-: binary data would go to the terminal; name a file, or a program")
        yield FileOutput(path)
        return
    _check_writable(path, num_bytes)
    claim = Claim(path)
    try:
        check_file(path, kind, inputs=inputs, existing=existing, force=force)
        yield FileOutput(path, existing, force)
    finally:
        claim.release()


def check_file(
    path: str,
    kind: OutputKind,
    *,
    inputs: Iterable[str] = (),
    existing: Existing = Existing.REFUSE,
    force: bool = False,
) -> None:
    """Raise an error if `path` exists and may not be replaced.

    Raises:
        ArgumentError: The command reads it, it is of another kind, or `force` was not given.
        OSError: It is a folder, or its folder is missing.
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
    """Write small files into a folder, which is created if it is missing; none is written unless all may be.

    Raises:
        ArgumentError: A file exists with other contents, and `force` is not given.
        OSError: One cannot be written.
    """
    paths = {os.path.join(folder, name): text.encode() for name, text in texts.items()}
    for path, data in paths.items():
        if os.path.isfile(path) and os.path.getsize(path) and not force:
            with open_reading(path) as file:
                if file.read(len(data) + 1) != data:
                    raise ArgumentError(
                        f"{path}: is there already with other contents; --force (force=True) replaces it"
                    )
    if not os.path.isdir(os.path.dirname(os.path.abspath(folder))):
        around = os.path.dirname(folder) or "."
        raise FileNotFoundError(errno.ENOENT, "the output's folder does not exist; make it first", around)
    if not os.path.isdir(folder):
        os.mkdir(folder)
    for path, data in paths.items():
        write_atomic(path, data)


def is_claimed(path: str) -> bool:
    """Whether another run has the claim to the file at `path`."""
    try:
        Claim(path).release()
    except ArgumentError:
        return True
    return False


def named(path: str) -> str:
    """`path`, or `-` for another name of standard output."""
    return STANDARD_OUTPUT if path in STANDARD_NAMES else path


def is_internal(name: str) -> bool:
    """Whether this is the name of a temporary file or of a claim."""
    return name.startswith(".genotok-")


def _is_there(path: str) -> ArgumentError:
    return ArgumentError(f"{path}: is there already; --force replaces it")


def _input_at(there: os.stat_result, inputs: Iterable[str]) -> str:
    """How the user named the input that is this file, for an error; empty if no input is."""
    for given in inputs:
        path = os.path.expanduser(given)
        is_pattern = glob.has_magic(path) and not os.path.exists(path)
        for found in glob.iglob(path, recursive=True) if is_pattern else [path]:
            try:
                if os.path.samestat(os.stat(found), there):
                    return f" (as {given})"
            except OSError:
                continue  # its reader reports it
    return ""


def _check_writable(path: str, num_bytes: int) -> None:
    """Raise an error if no file of `num_bytes` can be created at `path`; leave no file behind."""
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        shown = os.path.dirname(path) or "." if not os.path.islink(path) else folder
        raise FileNotFoundError(errno.ENOENT, "the output's folder does not exist; make it first", shown)
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "is a folder; name a file in it", path)
    try:
        # A file without a name where the system has them, else one that is removed at once.
        with tempfile.TemporaryFile(dir=folder, prefix=".genotok-", suffix=".tmp") as probe:
            probe.write(bytes(min(num_bytes, MAX_PROBE)))
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from None


def _keep(path: str) -> str:
    """Link the file at `path` to the first of `path.1`, `path.2`, ... that is free; returns that name."""
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
