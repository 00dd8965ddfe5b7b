"""The folder while it is being written: made, refused, cleared or resumed; and its journal."""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import time
from contextlib import suppress

from genotok import _native
from genotok.dataset.job import TOKENIZER
from genotok.dataset.manifest import (
    JOURNAL,
    MANIFEST,
    FileEntry,
    Head,
    Manifest,
    Portion,
)
from genotok.dataset.plain import from_line, to_line
from genotok.errors import ArgumentError, SequenceFileError
from genotok.files.appending import AppendFile
from genotok.files.atomic import TEMPORARY_PATTERN, write_atomic
from genotok.files.checksums import has_checksum
from genotok.files.outputs import is_internal
from genotok.files.syncing import sync_files, sync_folder

__all__ = ["DIGESTS", "OURS", "SHARD", "Journal", "check_folder", "is_folder_of_shards", "is_whole"]

DIGESTS = "records-{portion:05d}.tsv"
SHARD = "{portion:05d}-{part:05d}"

GROUP_PORTIONS = 256
GROUP_SECONDS = 1.0
"""Portions that are brought to the disk together: how many, of how long."""

TEMPORARY = re.compile(TEMPORARY_PATTERN)
OURS = re.compile(
    r"\d{5,}-\d{5,}\.(arrow|arrows|parquet|bin|idx)|records-\d{5,}\.tsv|tokenizer\.json|" + TEMPORARY.pattern
)
"""Names that a run gives to files in the folder, but for the manifest and the journal."""


def is_folder_of_shards(folder: str) -> bool:
    """Whether `folder` has a manifest or a journal."""
    return any(os.path.lexists(os.path.join(folder, name)) for name in (MANIFEST, JOURNAL))


def is_whole(folder: str) -> bool:
    """Whether a folder of shards is complete, and holds nothing that only encoding would remove."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return MANIFEST in names and JOURNAL not in names and not any(map(is_internal, names))


def check_folder(folder: str, *, resume: bool, force: bool, is_claimed: bool = False) -> None:
    """An error if a run of this kind may not write to `folder`, or another is writing to it."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise NotADirectoryError(errno.ENOTDIR, "is a file, where a folder of shards is to be", folder)
    if not os.path.isdir(os.path.dirname(os.path.abspath(folder))):
        raise FileNotFoundError(errno.ENOENT, "the folder around it does not exist; make it first", folder)
    if is_folder_of_shards(folder):
        if not is_claimed and os.path.exists(os.path.join(folder, JOURNAL)):
            _native.Claim(folder, folder=True).release()
        if not resume and not force:
            unfinished = os.path.exists(os.path.join(folder, JOURNAL))
            also = "--resume continues it, " if unfinished else ""
            state = "an unfinished run" if unfinished else "a folder of shards"
            raise ArgumentError(f"{folder}: holds {state}; {also}--force replaces it")
        return
    if resume:
        raise FileNotFoundError(errno.ENOENT, "no run to resume is here; run without --resume", folder)
    if os.path.isdir(folder) and not all(is_internal(name) for name in os.listdir(folder)):
        raise ArgumentError(f"{folder}: is not empty, and no folder of shards; choose another output")


class Journal:
    """The journal of a run, which belongs to one process at a time.

    Attributes:
        portions: What is complete, in order.
    """

    def __init__(self, folder: str, head: Head, tokenizer: str, *, resume: bool, force: bool = False) -> None:
        """Start a run in `folder`, or resume one.

        Raises:
            ArgumentError: What is there was made of other inputs, or with another tokenizer or other options;
                or another process is writing to it.
            SequenceFileError: The journal is damaged.
        """
        self.portions: list[Portion] = []
        self._held: list[Portion] = []
        self._flushed = time.monotonic()
        self._folder = folder
        os.makedirs(folder, exist_ok=True)
        self._claim = _native.Claim(folder, folder=True)
        try:
            # As they are now that no other run can change them.
            check_folder(folder, resume=resume, force=force, is_claimed=True)
            self._file = AppendFile(self._path(JOURNAL))
        except BaseException:
            self._claim.release()
            raise
        try:
            if resume:
                self._take_up(head, tokenizer)
            else:
                self._start(head, tokenizer)
        except BaseException:
            if not len(self._file):
                os.remove(self._path(JOURNAL))
            self.close()
            raise

    def add(self, portion: Portion) -> None:
        """Note that a portion is complete, in case this process is killed.

        The line survives a crash of the system once it and the files it names are on the disk, after
        `GROUP_SECONDS` at most: portions that take less share a flush, which takes as long as encoding a
        small genome.
        """
        self.portions.append(portion)
        self._held.append(portion)
        self._file.append(to_line(portion), deferred=True)
        if len(self._held) >= GROUP_PORTIONS or time.monotonic() - self._flushed >= GROUP_SECONDS:
            self._flush()

    def finish(self, manifest: Manifest) -> None:
        """Bring everything to the disk, and write the manifest; the journal has done its work."""
        self._flush()
        self._clear(TEMPORARY)  # of other processes that were killed
        write_atomic(self._path(MANIFEST), manifest.to_json().encode())
        os.remove(self._path(JOURNAL))
        sync_folder(self._folder)

    def close(self) -> None:
        """Let another process at it."""
        self._file.close()
        self._claim.release()

    def _flush(self) -> None:
        """Bring the files of the portions that are held to the disk, and their lines."""
        held, self._held = self._held, []
        if held:
            sync_files(self._folder, [file.name for portion in held for file in portion.files])
            self._file.sync()
        self._flushed = time.monotonic()

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _start(self, head: Head, tokenizer: str) -> None:
        """Clear the folder of an earlier run, and write what is known."""
        with suppress(FileNotFoundError):
            os.remove(self._path(MANIFEST))
        self._file.truncate(0)
        sync_folder(self._folder)
        self._clear(OURS)
        try:
            write_atomic(self._path(TOKENIZER), tokenizer.encode())
            self._file.append(to_line(head))
        except BaseException:
            self._clear(OURS)  # a folder with files and no journal would be refused from now on
            raise

    def _clear(self, names: re.Pattern[str]) -> None:
        """Remove the files with such names."""
        for name in os.listdir(self._folder):
            if names.fullmatch(name):
                os.remove(self._path(name))

    def _take_up(self, head: Head, tokenizer: str) -> None:
        """Read what is complete, and check that it was made as this run would make it."""
        found = self._read()
        if found is None:
            self._start(head, tokenizer)
            return
        if reason := _difference(found.head, head):
            raise ArgumentError(f"{self._folder}: cannot resume: {reason}; --force starts anew")
        for portion in found.portions:
            if self._is_whole(portion):
                _check_inputs(portion)
                self.portions.append(portion)
            else:
                break
        self._clear(TEMPORARY)
        if not self._has(head.tokenizer):
            write_atomic(self._path(TOKENIZER), tokenizer.encode())
        self._rewrite(to_line(head) + "".join(to_line(portion) for portion in self.portions))

    def _read(self) -> Manifest | None:
        """What the journal says, or the manifest of a run that was complete; None if there is nothing yet."""
        # The last line may have been cut short by a kill: what it would have told is done again.
        lines = self._file.read().split(b"\n")[:-1]
        if not lines:
            path = self._path(MANIFEST)
            return Manifest.read(path) if os.path.exists(path) else None
        try:
            return Manifest(
                from_line(Head, lines[0], "head"),
                tuple(from_line(Portion, line, f"line {n}") for n, line in enumerate(lines[1:], 2)),
            )
        except (ValueError, RecursionError) as error:
            raise SequenceFileError(f"{self._path(JOURNAL)}: damaged: {error}; --force starts anew") from None

    def _rewrite(self, text: str) -> None:
        """Make `text` all that the journal says; most often it is the start of what it says already."""
        if self._file.read().startswith(text.encode()):
            self._file.truncate(len(text.encode()))
        else:
            self._file.truncate(0)
            self._file.append(text)

    def _is_whole(self, portion: Portion) -> bool:
        """Whether the files of a portion are as they were written."""
        return all(map(self._has, portion.files))

    def _has(self, file: FileEntry) -> bool:
        """Whether a file is as it was written."""
        path = self._path(file.name)
        return (
            os.path.isfile(path) and os.path.getsize(path) == file.bytes and has_checksum(path, file.checksum)
        )


def _check_inputs(portion: Portion) -> None:
    """An error if an input is not what it was when it was encoded."""
    for entry in portion.inputs:
        if entry.bytes is None:
            continue
        if os.path.getsize(entry.path) != entry.bytes or not has_checksum(entry.path, entry.checksum):
            raise ArgumentError(
                f"{entry.path}: has changed since it was encoded; --force starts anew with what it is now"
            )


def _difference(there: Head, here: Head) -> str:
    """Why a run that began with `there` is not one with `here`; nothing if it is."""
    if there.tokenizer != here.tokenizer or there.vocab_size != here.vocab_size:
        return "the tokenizer is another one"
    if there.inputs != here.inputs:
        return f"the inputs differ: {_first_difference(there.inputs, here.inputs)}"
    old, new = dataclasses.asdict(there), dataclasses.asdict(here)
    old |= old.pop("options")
    new |= new.pop("options")
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            return f"{name} was {old.get(name)!r} and is {new.get(name)!r}"
    return ""


def _first_difference(there: tuple[str, ...], here: tuple[str, ...]) -> str:
    """The first input of two lists that is not the same in both."""
    for old, new in zip(there, here, strict=False):
        if old != new:
            return f"{new} in place of {old}"
    return f"{len(here):,} in place of {len(there):,}"
