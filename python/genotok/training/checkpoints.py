"""Checkpoints, written atomically, and the folder of a run.

A checkpoint is a folder that is published when it is complete (`genotok.files.folders`). A run that is killed
at any moment can be resumed from the checkpoints it left; the next run removes an unfinished one.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from genotok._native import Claim
from genotok.errors import ArgumentError
from genotok.files.atomic import STANDARD_OUTPUT, write_atomic
from genotok.files.folders import publish, remove_folder, remove_unfinished, unfinished_folder
from genotok.files.identity import CHECKSUMS, check_files, check_same
from genotok.files.outputs import is_internal
from genotok.files.reading import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

__all__ = [
    "PREFIX",
    "RUN",
    "RunFolder",
    "RunIdentity",
    "checkpoints",
    "claim",
    "latest",
    "publish",
    "remove_unfinished",
    "rotate",
    "step_of",
    "write_json",
]

RUN = "run.json"
"""The file with the settings that a run was started with."""

DIGESTS = "digests"
"""The key of `run.json` for the digests of what the run reads."""

NO_RUN = "{}: holds no run to resume; run without --resume"
"""The error for a folder."""

PREFIX = "checkpoint-"


def unfinished(folder: Path, step: int) -> Path:
    """The temporary folder that the checkpoint of a step is written to."""
    return unfinished_folder(folder, str(step))


def checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """Step and folder of each checkpoint, the latest last."""
    found = []
    for place in folder.glob(f"{PREFIX}*"):
        step = place.name.removeprefix(PREFIX)
        if step.isdigit() and place.is_dir():
            found.append((int(step), place))
    return sorted(found)


def step_of(place: Path) -> int:
    """The step of a checkpoint."""
    return int(place.name.removeprefix(PREFIX))


def rotate(folder: Path, keep: int) -> None:
    """Remove all checkpoints but the latest `keep`."""
    for _, place in checkpoints(folder)[:-keep]:
        remove_folder(place)


class RunFolder:
    """The folder of a run, while this process holds it.

    Attributes:
        folder: The folder.
        recorded: The digests in its `run.json`.
    """

    def __init__(self, folder: Path, recorded: dict[str, Any]) -> None:
        self.folder, self.recorded = folder, recorded

    def identify(self, digests: dict[str, Any]) -> None:
        """Compare digests with those the run was started with, and record new ones.

        Raises:
            ArgumentError: An input has changed; the message says which.
            OSError: `run.json` cannot be read or written.
        """
        digests = json.loads(json.dumps(digests))
        check_same(self.folder, self.recorded, digests)
        recorded = _merged(self.recorded, digests)
        if recorded != self.recorded:
            settings = json.loads(read_bytes(self.folder / RUN))
            write_json(self.folder / RUN, {**settings, DIGESTS: recorded})
            self.recorded = recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class RunIdentity:
    """What a run is, so that it is resumed with the same.

    Attributes:
        settings: What its results depend on, as JSON objects.
        digests: Digests of what the run reads (`genotok.files.identity`), in nested objects; more may follow.
        free: Settings that may have changed since.
        names: Settings that only name what digests identify: they may change where there are digests.
        earlier: Settings that runs of earlier versions do not have, with what those runs did; may be nested.
    """

    settings: dict[str, Any]
    digests: dict[str, Any]
    free: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    earlier: Mapping[str, Any] = field(default_factory=dict)


@contextmanager
def claim(
    folder: Path, identity: RunIdentity, *, resume: bool, on_status: Callable[[str], None] | None = None
) -> Iterator[RunFolder]:
    """Start a run in an empty folder, which gets the settings as `run.json`; or resume one that has the same.

    Within the `with` block the folder belongs to this run alone.

    Args:
        folder: The folder of a run.
        identity: Its settings, and the digests of its inputs.
        resume: Whether to resume the run in the folder.
        on_status: Called with a message if a run of an older version has no digests to compare.

    Raises:
        ArgumentError: The folder is in use, holds no run, or holds one of other settings or contents.
        OSError: It cannot be read or written.
    """
    if str(folder) == STANDARD_OUTPUT:
        raise ArgumentError("output=-: a run is a folder, which standard output cannot be; name a folder")
    if not resume:
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        raise ArgumentError(NO_RUN.format(folder))
    held = Claim(str(folder), folder=True)
    try:
        settings, digests = json.loads(json.dumps(identity.settings)), identity.digests
        before = _start(folder, settings | ({DIGESTS: digests} if digests else {}), resume)
        recorded = before.pop(DIGESTS, {}) if before else digests
        if before:
            before = _completed(before, identity.earlier)
            _check_settings(folder, before, settings, {*identity.free, *(identity.names if recorded else ())})
            if not recorded and on_status:
                on_status(f"{folder}: begun by an older genotok, without digests: inputs are not compared")
        run = RunFolder(folder, recorded)
        run.identify(digests)
        yield run
    finally:
        held.release()


def latest(folder: Path, on_status: Callable[[str], None] | None = None) -> Path | None:
    """The latest checkpoint of a run, its files verified by checksum; None if there is none.

    Raises:
        ArgumentError: A file of it was truncated or altered; the message says how to continue.
        OSError: A file cannot be read.
    """
    found = [place for _, place in checkpoints(folder)]
    if not found:
        return None
    fault = check_files(found[-1])
    if fault:
        older = f"then {found[-2].name} is resumed" if len(found) > 1 else "then the run starts anew"
        raise ArgumentError(f"{fault}; remove the folder {found[-1].name} ({older})")
    if on_status and not (found[-1] / CHECKSUMS).exists():
        on_status(f"{found[-1]}: written by an older genotok, without checksums: its files are not verified")
    return found[-1]


def _start(folder: Path, settings: dict[str, Any], resume: bool) -> dict[str, Any]:
    """Write the settings of a new run, or read those of the run to resume."""
    path = folder / RUN
    if not resume:
        # A run that was killed before it had settings left internal files at most.
        if not all(is_internal(path.name) for path in folder.iterdir()):
            raise ArgumentError(f"{folder}: is there already; --resume resumes it, or give another name")
        write_json(path, settings)
        return {}
    if not path.exists():
        raise ArgumentError(NO_RUN.format(folder))
    try:
        before = json.loads(read_bytes(path).decode())
    except (ValueError, RecursionError):
        before = None
    if not isinstance(before, dict) or not before or not isinstance(before.get(DIGESTS, {}), dict):
        raise ArgumentError(f"{path}: is damaged; begin a new run in another folder")
    return before


def _check_settings(
    folder: Path, before: dict[str, Any], settings: dict[str, Any], free: Collection[str]
) -> None:
    """An error if settings differ from those of a run, unless they are free."""
    changed = (part for part in _changes(before, settings) if part[0] not in free)
    for key, old, new in changed:
        raise ArgumentError(f"{folder}: {key}={new}: the run to resume has {old}")


def _completed(before: dict[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run, with those of `earlier` that it lacks."""
    found = {**earlier, **before}
    nested = (key for key, one in earlier.items() if isinstance(one, dict) and isinstance(found[key], dict))
    return {**found, **{key: _completed(found[key], earlier[key]) for key in nested}}


def _merged(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Two nested objects as one; values of the first stay."""
    found = dict(before)
    for key, new in now.items():
        old = found.get(key)
        found[key] = _merged(old, new) if isinstance(old, dict) and isinstance(new, dict) else old or new
    return found


def _changes(before: dict[str, Any], now: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Name, old and new value of the settings of a run that differ."""
    for key, old in before.items():
        new = now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _changes(old, new)
        elif old != new:
            yield key, old, new


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file atomically."""
    write_atomic(path, (json.dumps(content, indent=1) + "\n").encode())
