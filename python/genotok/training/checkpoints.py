"""Checkpoints that are there whole or not at all.

A checkpoint is written to a folder with another name, every file and the folder are flushed to the disk, and
then it gets its name. So a run that is killed at any moment leaves checkpoints to go on from, and at most one
folder of rubbish, which the next run removes.
"""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PREFIX", "checkpoints", "clean", "publish", "rotate", "write_json"]

PREFIX = "checkpoint-"
UNFINISHED = ".saving-"


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


def publish(source: Path, target: Path) -> None:
    """Flush a folder to the disk and give it its name; one that had the name goes."""
    for path in [*source.rglob("*"), source]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    if target.exists():
        shutil.rmtree(target)
    source.rename(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file of JSON whole or not at all."""
    partial = path.with_name(f".{path.name}")
    partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
