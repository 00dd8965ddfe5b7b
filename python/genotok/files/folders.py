"""Folders that are there whole or not at all.

A folder is written under another name, every file and the folder are flushed to the disk, and then it gets
its name. So what is killed at any moment leaves the folder before or the new one, and at most one unfinished
folder, which the next run removes.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["UNFINISHED", "publish", "publish_into"]

UNFINISHED = ".saving-"
"""How the name of an unfinished folder starts."""


def publish(source: Path, target: Path) -> None:
    """Flush a folder to the disk and give it its name; one that had the name goes."""
    _settle(source)
    if target.exists():
        rubbish = target.parent / f"{UNFINISHED}old-{target.name}"
        shutil.rmtree(rubbish, ignore_errors=True)
        target.rename(rubbish)
        source.rename(target)
        shutil.rmtree(rubbish)
    else:
        source.rename(target)
    _sync(target.parent)


def publish_into(source: Path, target: Path, *, last: str) -> None:
    """Flush a folder to the disk and move its files into another, the one named `last` after all others."""
    _settle(source)
    for path in sorted(source.iterdir(), key=lambda path: path.name == last):
        path.replace(target / path.name)
    source.rmdir()
    _sync(target)


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
