"""Folders written atomically: there in full, or not there.

A folder is written under another name, every file and the folder are flushed to the disk, and then it gets
its name. So what is killed at any moment leaves the folder before or the new one, and at most one unfinished
folder, which the next run removes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from genotok import _native
from genotok.errors import ArgumentError
from genotok.files.atomic import is_stream
from genotok.files.outputs import is_internal, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["UNFINISHED", "output_folder", "publish", "publish_into"]

_HERE = -100
_RENAME_EXCHANGE = 2
"""Linux's numbers for a path from the present folder, and for two names that change places."""

UNFINISHED = ".saving-"
"""How the name of an unfinished folder starts."""


@contextmanager
def output_folder(
    path: str, *, inputs: Iterable[str], is_ours: Callable[[Path], bool], force: bool = False
) -> Iterator[Path]:
    """A folder to be published, claimed for this run for the time of a `with` block, if the rule allows it.

    Args:
        path: The folder as the user named it.
        inputs: Folders that the command reads.
        is_ours: Whether a folder is of the kind that may be replaced.
        force: Replace it.

    Raises:
        ArgumentError: The folder is there and stays, or another run writes it.
        OSError: No folder can be made there.
    """
    if is_stream(named(path)):
        raise ArgumentError(f"output={path}: a model is a folder, which this cannot be; name a folder")
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        around = str(target.parent)
        raise FileNotFoundError(errno.ENOENT, "the output's folder does not exist; make it first", around)
    claim = _native.Claim(str(target))
    try:
        if target.is_dir():
            _native.Claim(str(target), folder=True).release()
        _check(path, target, inputs, is_ours, force)
        yield target
    finally:
        claim.release()


def _check(
    path: str, target: Path, inputs: Iterable[str], is_ours: Callable[[Path], bool], force: bool
) -> None:
    """An error if there is something at `path` that stays there."""
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


def publish(source: Path, target: Path) -> None:
    """Flush a folder to the disk and give it its name; one that had the name goes."""
    _settle(source)
    if not target.exists():
        source.rename(target)
    elif _exchange(source, target):
        shutil.rmtree(source)
    else:
        rubbish = target.parent / f"{UNFINISHED}old-{target.name}"
        shutil.rmtree(rubbish, ignore_errors=True)
        target.rename(rubbish)
        try:
            source.rename(target)
        except OSError:
            rubbish.rename(target)
            raise
        shutil.rmtree(rubbish)
    _sync(target.parent)


def publish_into(source: Path, target: Path, *, last: str) -> None:
    """Flush a folder to the disk and move its files into another, the one named `last` after all others."""
    _settle(source)
    for path in sorted(source.iterdir(), key=lambda path: path.name == last):
        path.replace(target / path.name)
    source.rmdir()
    _sync(target)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders exchange their names in one step, where the system can; whether it could."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    return bool(rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def _settle(folder: Path) -> None:
    """Flush a folder's files, readable by those who may read the folder.

    Libraries write through temporary files, which only their owner may read, whatever the umask.
    """
    readable = folder.stat().st_mode & 0o666
    for path in [*folder.rglob("*"), folder]:
        if path.is_file():
            path.chmod(readable)
        _sync(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
