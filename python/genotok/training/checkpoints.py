"""Checkpoints that are there whole or not at all.

A checkpoint is written to a folder with another name, every file and the folder are flushed to the disk, and
then it gets its name. So a run that is killed at any moment leaves checkpoints to go on from, and at most one
folder of rubbish, which the next run removes.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from genotok import _native
from genotok.errors import ArgumentError
from genotok.files.folders import UNFINISHED, publish
from genotok.files.outputs import is_internal
from genotok.files.whole import STANDARD_OUTPUT, write_whole

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

__all__ = ["PREFIX", "RUN", "checkpoints", "claim", "clean", "publish", "rotate", "write_json"]

RUN = "run.json"
"""The settings that a folder was begun with."""

PREFIX = "checkpoint-"


def unfinished(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step is written to at first."""
    return folder / f"{UNFINISHED}{step}"


def checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """Step and folder of each checkpoint, the latest last."""
    found = []
    for place in folder.glob(f"{PREFIX}*"):
        step = place.name.removeprefix(PREFIX)
        if step.isdigit() and place.is_dir():
            found.append((int(step), place))
    return sorted(found)


def rotate(folder: Path, keep: int) -> None:
    """Remove all checkpoints but the latest `keep`."""
    for _, place in checkpoints(folder)[:-keep]:
        # Renamed first: what is removed by halves would look like a checkpoint.
        rubbish = folder / f"{UNFINISHED}{place.name}"
        place.rename(rubbish)
        shutil.rmtree(rubbish)


def clean(folder: Path) -> None:
    """Remove what killed runs left."""
    for place in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def claim(
    folder: Path, settings: dict[str, Any], *, resume: bool, free: Collection[str] = ()
) -> Iterator[None]:
    """Begin in an empty folder, which gets the settings as `run.json`; or go on in one that has the same.

    For the time of a `with` block the folder belongs to this run alone.

    Args:
        folder: The folder of a run.
        settings: What its results depend on; anything that JSON has.
        resume: Whether it is to be gone on with.
        free: Settings that may have changed since.

    Raises:
        ArgumentError: The folder is in use, or holds no run, or one of other settings.
        OSError: It cannot be read or written.
    """
    if str(folder) == STANDARD_OUTPUT:
        raise ArgumentError("output=-: a run is a folder, which standard output cannot be; name a folder")
    if not resume:
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        raise ArgumentError(f"{folder}: holds no run to go on with")
    held = _native.Claim(str(folder), folder=True)
    try:
        _begin(folder, json.loads(json.dumps(settings)), resume, free)
        yield
    finally:
        held.release()


def _begin(folder: Path, settings: dict[str, Any], resume: bool, free: Collection[str]) -> None:
    """Write the settings, or compare them with those that are there."""
    path = folder / RUN
    if not resume:
        # Killed before it had settings, a run left at most a part of them.
        if not all(is_internal(path.name) for path in folder.iterdir()):
            raise ArgumentError(f"{folder}: is there already; --resume goes on with it, or give another name")
        write_json(path, settings)
        return
    if not path.exists():
        raise ArgumentError(f"{folder}: holds no run to go on with")
    before = json.loads(path.read_text(encoding="utf-8"))
    changed = (part for part in _changes(before, settings) if part[0] not in free)
    for key, old, new in changed:
        raise ArgumentError(f"{folder}: {key}={new}: the run to go on with has {old}")


def _changes(before: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Name, old and new value of the settings that differ, of those that the run had."""
    for key, old in before.items():
        new = now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new)
        elif old != new:
            yield key, old, new


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file of JSON whole or not at all."""
    write_whole(str(path), (json.dumps(content, indent=1) + "\n").encode())
