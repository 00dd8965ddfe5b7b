"""Atomic writes of folders: after a crash there is the old folder or the new one, never a part of one.

A folder is filled under a temporary name beside its final one. It is published when each of its files and the
folder itself are flushed to the disk and it gets its name. A killed run leaves at most one unfinished folder,
which the next run removes (`remove_unfinished`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from genotok._native import Claim
from genotok.errors import ArgumentError
from genotok.files.atomic import is_stream
from genotok.files.outputs import is_internal, named
from genotok.files.reading import errors_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "AtomicFolder",
    "output_folder",
    "publish",
    "remove_folder",
    "remove_unfinished",
    "unfinished_folder",
]

AT_FDCWD = -100
RENAME_EXCHANGE = 2
"""Linux's numbers for a path from the current folder, and for an exchange of two names."""

UNFINISHED = ".saving-"
"""How the name of an unfinished folder starts."""


@contextmanager
def output_folder(
    path: str, *, inputs: Iterable[str], is_ours: Callable[[Path], bool], force: bool = False
) -> Iterator[Path]:
    """The folder that a command writes, claimed for this run for the duration of a `with` block.

    Args:
        path: The folder as the user named it.
        inputs: Folders that the command reads.
        is_ours: Whether a folder is of the kind that may be replaced.
        force: Whether to replace such a folder.

    Raises:
        ArgumentError: The folder exists and may not be replaced, or another run writes it.
        OSError: No folder can be created there.
    """
    if is_stream(named(path)):
        raise ArgumentError(f"output={path}: a model is a folder, which this cannot be; name a folder")
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        around = str(target.parent)
        raise FileNotFoundError(errno.ENOENT, "the output's folder does not exist; make it first", around)
    claim = Claim(str(target))
    try:
        if target.is_dir():
            Claim(str(target), folder=True).release()
        _check(path, target, inputs, is_ours, force)
        yield target
    finally:
        claim.release()


def _check(
    path: str, target: Path, inputs: Iterable[str], is_ours: Callable[[Path], bool], force: bool
) -> None:
    """Raise an error if `path` exists and may not be replaced."""
    if not target.exists():
        return
    if not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is a file, where a folder is to be", path)
    for given in inputs:
        read = Path(os.path.realpath(given))
        if target == read or target in read.parents:
            raise ArgumentError(f"{path}: is read by this command; choose another output")
    if all(is_internal(name) for name in os.listdir(target)):
        return
    if not is_ours(target):
        raise ArgumentError(
            f"{path}: is there already, and is no folder that this command made; choose another output"
        )
    if not force:
        raise ArgumentError(f"{path}: is there already; --force replaces it")


class AtomicFolder:
    """A folder under its temporary name, to be filled and published; a `with` statement bounds its life.

    Attributes:
        path: The temporary folder. It does not exist until `write` or the caller creates it.
    """

    def __init__(self, target: Path, *, into: bool = False) -> None:
        """Prepare to write the folder `target`; remove what a killed run left of it.

        Args:
            target: The final name.
            into: Whether `target` exists and keeps its other files: the new files are moved into it.
        """
        self._target, self._into = target, into
        self.path = unfinished_folder(target if into else target.parent, target.name)

    def __enter__(self) -> Self:
        shutil.rmtree(self.path, ignore_errors=True)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name: str, data: bytes) -> None:
        """Add a file."""
        self.path.mkdir(exist_ok=True)
        with errors_name(self._target / name):
            (self.path / name).write_bytes(data)

    def commit(self, *, last: str) -> None:
        """Publish the folder; of files that are moved one by one, `last` is the last.

        Raises:
            OSError: It cannot be flushed or renamed.
        """
        if self._into:
            _publish_into(self.path, self._target, last=last)
        else:
            publish(self.path, self._target)


def unfinished_folder(parent: Path, name: str) -> Path:
    """The temporary name of a folder in `parent`."""
    return parent / f"{UNFINISHED}{name}"


def remove_unfinished(parent: Path) -> None:
    """Remove the unfinished folders that killed runs left in `parent`."""
    for folder in parent.glob(f"{UNFINISHED}*"):
        shutil.rmtree(folder, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder that is renamed first, so that a killed run leaves no part of it under its name."""
    leftover = unfinished_folder(folder.parent, folder.name)
    folder.rename(leftover)
    shutil.rmtree(leftover)


def publish(source: Path, target: Path) -> None:
    """Flush the folder `source` to the disk and rename it to `target`, in place of a folder of that name.

    Raises:
        OSError: It cannot be flushed or renamed; `target` is as it was.
    """
    _flush(source)
    if not target.exists():
        source.rename(target)
    elif _exchange(source, target):
        shutil.rmtree(source)
    else:
        replaced = unfinished_folder(target.parent, f"old-{target.name}")
        shutil.rmtree(replaced, ignore_errors=True)
        target.rename(replaced)
        try:
            source.rename(target)
        except OSError:
            replaced.rename(target)
            raise
        shutil.rmtree(replaced)
    _fsync(target.parent)


def _publish_into(source: Path, target: Path, *, last: str) -> None:
    """Flush the folder `source` to the disk and move its files into `target`, the file `last` at the end."""
    _flush(source)
    for path in sorted(source.iterdir(), key=lambda path: path.name == last):
        path.replace(target / path.name)
    source.rmdir()
    _fsync(target)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; False where the system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0)


def _flush(folder: Path) -> None:
    """Flush a folder's files, and let everyone read them who may read the folder.

    Libraries write through temporary files, which only their owner may read, whatever the umask.
    """
    readable = folder.stat().st_mode & 0o666
    for path in [*folder.rglob("*"), folder]:
        if path.is_file():
            path.chmod(readable)
        _fsync(path)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with errors_name(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
