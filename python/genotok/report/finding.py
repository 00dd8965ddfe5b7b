"""From paths to records: every record, run and model below the files and folders that were named."""

from __future__ import annotations

import errno
import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError
from genotok.files.documents import printable
from genotok.report.folders import PARTS_OF_FOLDERS, describe_folder
from genotok.report.records import FoundRecord, found_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["read_records"]

MAX_DEPTH = 20
MAX_ENTRIES = 200_000
"""A folder that holds more files and folders is refused: the page would take hours."""

OF_MODELS = frozenset(
    {
        "config.json",
        "generation_config.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.json",
        "adapter_config.json",
        "model.safetensors.index.json",
        "trainer_state.json",
    }
)
"""Files that belong to a model or a checkpoint; alone, none of them is a record."""


def read_records(paths: Iterable[str]) -> list[FoundRecord]:
    """The records in files and, of folders, in everything below; each once, by kind, then by name.

    A folder of a run is one record: see `folders`. In other folders each file that ends in `.json` is.

    Raises:
        FileNotFoundError: A path does not exist.
        ArgumentError: A file that was named is damaged or no record; a folder holds no record; nothing
            was given.
    """
    given = list(paths)
    if not given:
        raise ArgumentError("records=[]: name at least one record, or a folder of them")
    found: dict[tuple[str, str], FoundRecord] = {}
    for path in given:
        for each in _records(path):
            found.setdefault((os.path.realpath(each.path), each.kind), each)
    return sorted(_with_unique_names(list(found.values())), key=lambda each: (each.kind, each.name))


def _with_unique_names(found: list[FoundRecord]) -> list[FoundRecord]:
    """Records with unique names: those that share one are named by their paths."""
    count = Counter((each.kind, each.name) for each in found)
    return [
        replace(each, name=printable(each.path)) if count[each.kind, each.name] > 1 else each
        for each in found
    ]


def _records(given: str) -> list[FoundRecord]:
    """The records that a path stands for."""
    if not os.path.exists(given):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), given)
    if not os.path.isdir(given):
        return [_file(given)]
    found = list(_below(given))
    if not found:
        raise ArgumentError(
            f"{given}: holds no record: no run of genotok pretrain, finetune or compare, no model, no "
            "encoded sequences, and no file that ends in .json"
        )
    if all(each.is_fault for each in found):
        raise ArgumentError(found[0].why)
    return found


def _file(path: str) -> FoundRecord:
    """The record of a file that was named; a file of a run stands for its run."""
    name = os.path.basename(path)
    if name in PARTS_OF_FOLDERS:
        folder = os.path.dirname(path) or "."
        described = describe_folder(_name(folder), folder)
        if described:
            return described.found
    return found_in(name, path)


def _below(given: str) -> Iterator[FoundRecord]:
    """The records of a folder and of all folders below it."""
    entries = 0
    waiting = [(given, 0)]
    while waiting:
        folder, depth = waiting.pop()
        name = _name(given) if depth == 0 else os.path.relpath(folder, given)
        described = describe_folder(name, folder)
        if described:
            yield described.found
        own = described.own if described else frozenset()
        files, folders = _listed(folder)
        entries += len(files) + len(folders)
        if entries > MAX_ENTRIES or depth > MAX_DEPTH:
            raise ArgumentError(
                f"{given}: holds more than {MAX_ENTRIES:,} files, or folders more than {MAX_DEPTH} deep; "
                "name the folders of the runs"
            )
        for each in files:
            path = os.path.join(folder, each)
            if each.endswith(".json") and each not in own and each not in OF_MODELS:
                yield _tolerant(os.path.relpath(path, given), path)
        waiting += [(os.path.join(folder, each), depth + 1) for each in reversed(folders) if each not in own]


def _listed(folder: str) -> tuple[list[str], list[str]]:
    """Names of files, and of folders that are no links and not hidden."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    files = [entry.name for entry in found if entry.is_file()]
    folders = [
        entry.name
        for entry in found
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
    ]
    return files, folders


def _tolerant(name: str, path: str) -> FoundRecord:
    """The record of a file that nobody named; the page names its fault."""
    try:
        return found_in(name, path, is_given=False)
    except (ArgumentError, OSError) as error:
        return FoundRecord(printable(name), path, "", {}, printable(str(error)), is_given=False)


def _name(folder: str) -> str:
    """What a folder is called."""
    return printable(os.path.basename(os.path.abspath(folder)) or folder)
