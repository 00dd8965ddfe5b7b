"""What is in a folder of shards: `manifest.json`, and `unfinished.jsonl` as long as it is being written.

A folder is encoded in *portions*: an input file each, or all files at once where rows are chosen by regions.
Shards are cut by bases within a portion, so that the same inputs and options give the same files whatever
happened on the way. The head of the manifest is written before the first portion, as the first line of
`unfinished.jsonl`; each complete portion adds a line; the manifest is all of these lines in one.

What is read from such a file is believed only as far as its form goes: keys, types and ranges are checked,
and a file of the folder has a name without any path.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from typing import Any

from genotok.dataset.earlier_versions import with_current_keys
from genotok.dataset.formats import FORMATS
from genotok.dataset.plain import from_plain, sum_of, to_plain
from genotok.errors import SequenceFileError
from genotok.files.checksums import CHECKSUM
from genotok.files.reading import open_reading

__all__ = [
    "JOURNAL",
    "MANIFEST",
    "FileEntry",
    "Head",
    "InputEntry",
    "Manifest",
    "Portion",
    "ShardEntry",
    "Totals",
]

MANIFEST = "manifest.json"
JOURNAL = "unfinished.jsonl"
KIND = "genotok shards"
VERSION = 4
VERSIONS = (1, 2, 3, VERSION)
"""Those that are read; the first has no checksums, neither of itself nor of record batches."""

MAX_BYTES = 1 << 28
"""A larger manifest is not read."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of the folder.

    Attributes:
        checksum: `blake3:` or `sha256:`, and 64 hexadecimal digits.
    """

    name: str
    bytes: int
    checksum: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"name is {self.name[:100]!r}, which is not the plain name of a file")
        if not CHECKSUM.fullmatch(self.checksum):
            raise ValueError(f"checksum of {self.name} is not blake3: or sha256: and 64 hexadecimal digits")


@dataclass(frozen=True, slots=True)
class InputEntry:
    """An input file as it was read; a pipe has neither size nor checksum."""

    path: str
    bytes: int | None
    checksum: str | None


@dataclass(frozen=True, slots=True)
class ShardEntry:
    """A shard: its files, and what is in it.

    Attributes:
        unknown: How often the unknown token stands in it.
        checksum: That of the checksums of its record batches; None of a shard without them.
    """

    files: tuple[FileEntry, ...]
    rows: int
    bases: int
    tokens: int
    unknown: int
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """What was encoded in one go.

    Attributes:
        inputs: The files that were read.
        records: How many records they have.
        digests: The file that lists these records, with length and refget digest.
        shards: What was written, in order.
        symbols: The symbols of the rows, with those left out.
        unknown: Symbols outside the vocabulary, by kind.
        lower_case: How many of them are lower-case symbols that the vocabulary has in upper case.
    """

    inputs: tuple[InputEntry, ...]
    records: int
    digests: FileEntry | None
    shards: tuple[ShardEntry, ...]
    symbols: int
    unknown: dict[str, int]
    lower_case: int

    @property
    def files(self) -> list[FileEntry]:
        """All files that were written."""
        shards = [file for shard in self.shards for file in shard.files]
        return [*shards, *([self.digests] if self.digests else [])]


@dataclass(frozen=True, slots=True)
class Head:
    """What decides the contents of a folder, known before anything is read."""

    genotok: str
    format: str
    vocab_size: int
    tokenizer: FileEntry
    shard_bases: int
    options: dict[str, Any]
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all shards and portions."""

    files: int
    records: int
    shards: int
    rows: int
    bases: int
    tokens: int
    unknown_tokens: int
    symbols: int
    unknown_symbols: dict[str, int]
    lower_case: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A complete folder."""

    head: Head
    portions: tuple[Portion, ...] = field(default=())

    @property
    def shards(self) -> list[ShardEntry]:
        """All shards, in order."""
        return [shard for portion in self.portions for shard in portion.shards]

    @property
    def files(self) -> list[FileEntry]:
        """All files of the folder but the manifest itself."""
        shards = [file for shard in self.shards for file in shard.files]
        digests = [portion.digests for portion in self.portions if portion.digests]
        return [self.head.tokenizer, *digests, *shards]

    def totals(self) -> Totals:
        """The sums."""
        shards, unknown = self.shards, dict[str, int]()
        for portion in self.portions:
            for kind, number in portion.unknown.items():
                unknown[kind] = unknown.get(kind, 0) + number
        return Totals(
            files=sum(len(portion.inputs) for portion in self.portions),
            records=sum(portion.records for portion in self.portions),
            shards=len(shards),
            rows=sum(shard.rows for shard in shards),
            bases=sum(shard.bases for shard in shards),
            tokens=sum(shard.tokens for shard in shards),
            unknown_tokens=sum(shard.unknown for shard in shards),
            symbols=sum(portion.symbols for portion in self.portions),
            unknown_symbols=unknown,
            lower_case=sum(portion.lower_case for portion in self.portions),
        )

    def to_json(self) -> str:
        """The text of `manifest.json`: the same bytes for the same folder, always; a line per portion."""
        top = {
            "kind": KIND,
            "version": VERSION,
            "totals": to_plain(self.totals()),
            "head": to_plain(self.head),
        }
        portions = [json.dumps(to_plain(portion)) for portion in self.portions]
        # The text that `sum_of` would make of all.
        whole = f'{json.dumps(top)[:-1]}, "portions": [{", ".join(portions)}]}}'
        lines = [f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in top.items()]
        body = ",\n".join(f"  {portion}" for portion in portions)
        checksum = hashlib.sha256(whole.encode()).hexdigest()
        return f'{{\n{"".join(lines)} "portions": [\n{body}\n ],\n "sha256": "{checksum}"\n}}\n'

    @classmethod
    def read(cls, path: str) -> Manifest:
        """The manifest at `path`.

        Raises:
            SequenceFileError: It is not a manifest, contradicts itself, or is of a later version.
            OSError: It cannot be read.
        """
        with open_reading(path) as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise SequenceFileError(f"{path}: more than {MAX_BYTES:,} bytes, too many for a manifest")
        try:
            return cls._parse(json.loads(text))
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise SequenceFileError(f"{path}: no manifest of genotok: {reason}") from None

    @classmethod
    def _parse(cls, value: object) -> Manifest:
        """The manifest in parsed JSON; ValueError where it is none."""
        if not isinstance(value, dict) or value.get("kind") != KIND:
            raise ValueError(f'"kind": "{KIND}" is missing')
        version = value.get("version")
        if version not in VERSIONS:
            raise ValueError(f"version {version!r}, where {VERSION} is expected")
        own = {"kind", "version", "totals"} | ({"sha256"} if version != 1 else set())
        body = {key: part for key, part in value.items() if key not in own}
        totals = value.get("totals")
        if version != VERSION:
            body, totals = with_current_keys(body), with_current_keys(totals)
        manifest: Manifest = from_plain(cls, body, "manifest")
        if from_plain(Totals, totals, "totals") != manifest.totals():
            raise ValueError("totals are not the sums of the shards")
        form = FORMATS.get(manifest.head.format)
        if form is None or not form.shards:
            raise ValueError(f"head.format is {manifest.head.format[:40]!r}, which is no format of shards")
        for shard in manifest.shards:
            if tuple(os.path.splitext(file.name)[1] for file in shard.files) != form.endings:
                raise ValueError(f"{[file.name for file in shard.files]} is no shard of format {form.name}")
        names = [file.name for file in manifest.files]
        if len(set(names)) != len(names):
            raise ValueError("a file is listed twice")
        summed = {key: part for key, part in value.items() if key != "sha256"}
        if version != 1 and value.get("sha256") != sum_of(summed):
            raise ValueError("its checksum differs: it was altered after it was written")
        return manifest
