"""Does a folder of shards hold what its manifest says, a file what was written? Every defect is one sentence.

Nothing of the folder is trusted: the manifest is read strictly, file names in it have no paths, Arrow data
are validated in full before they are read, and what is not a regular file is not opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from genotok._native import EncodedRows
from genotok.dataset.columns import bases_of, ids_of, is_wide, starts_of
from genotok.dataset.counts import Counts
from genotok.dataset.journal import OURS
from genotok.dataset.manifest import JOURNAL, MANIFEST, FileEntry, Manifest, Portion, ShardEntry
from genotok.dataset.shards import open_shard
from genotok.dataset.vocabulary import Vocabulary
from genotok.errors import GenotokError, SequenceFileError
from genotok.files.checksums import digits_of, has_checksum
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["verify_file", "verify_folder"]

BytesChecked = Callable[[int, int], None]


def verify_folder(
    folder: str | os.PathLike[str],
    *,
    against: Tokenizer | None = None,
    inputs: bool = False,
    on_progress: BytesChecked = lambda _done, _total: None,
) -> Iterator[str]:
    """The defects of a folder of shards, as they are found; none if it is whole.

    Reads every byte of the folder once or twice.

    Args:
        folder: The folder.
        against: The tokenizer that the folder is to be encoded with.
        inputs: Whether to compare the input files with what they were, too.
        on_progress: Called with the bytes of the folder checked so far and in all.

    Raises:
        OSError: The folder cannot be read.
    """
    place = os.fspath(folder)
    names = os.listdir(place)
    if JOURNAL in names:
        yield f"{place}: holds an unfinished run; genotok encode --resume continues it"
    if MANIFEST not in names:
        if JOURNAL not in names:
            yield f"{place}: has no {MANIFEST}; is it a folder of shards?"
        return
    try:
        manifest = Manifest.read(os.path.join(place, MANIFEST))
    except GenotokError as error:
        yield str(error)
        return
    yield from _Check(place, manifest, on_progress).defects()
    listed = {entry.name for entry in manifest.files}
    for name in sorted(set(names) - listed):
        if OURS.fullmatch(name):
            yield f"{os.path.join(place, name)}: is not in the manifest"
    if against is not None and digits_of(manifest.head.tokenizer.checksum) not in against.digests:
        yield f"{place}: was encoded with another tokenizer"
    if inputs:
        for portion in manifest.portions:
            yield from _input_defects(portion)


class _Check:
    """The files of one folder against its manifest."""

    def __init__(self, folder: str, manifest: Manifest, on_progress: BytesChecked) -> None:
        self._folder, self._manifest, self._on_progress = folder, manifest, on_progress
        self._total = sum(entry.bytes for entry in manifest.files)
        self._done = 0
        self._vocabulary: Vocabulary | None = None

    def defects(self) -> Iterator[str]:
        """All of them."""
        yield from self._tokenizer()
        for portion in self._manifest.portions:
            if portion.digests:
                yield from self._file(portion.digests)
            for shard in portion.shards:
                found = [defect for entry in shard.files for defect in self._file(entry)]
                yield from found or self._contents(shard)

    def _file(self, entry: FileEntry) -> Iterator[str]:
        """Is a file there, of its size, with its checksum?"""
        path = os.path.join(self._folder, entry.name)
        if defect := _file_defect(path, entry.bytes, entry.checksum):
            yield f"{path}: {defect}"
        self._done += entry.bytes
        self._on_progress(self._done, self._total)

    def _tokenizer(self) -> Iterator[str]:
        """Is the tokenizer the one that the manifest tells of?"""
        entry = self._manifest.head.tokenizer
        found = list(self._file(entry))
        yield from found
        if found:
            return
        path = os.path.join(self._folder, entry.name)
        try:
            self._vocabulary = Vocabulary.of(Tokenizer.from_file(path))
        except (GenotokError, OSError) as error:
            yield f"{path}: {error}"
            return
        if self._vocabulary.size != self._manifest.head.vocab_size:
            size = self._vocabulary.size
            yield f"{path}: {size:,} ids, where the manifest says {self._manifest.head.vocab_size:,}"

    def _contents(self, entry: ShardEntry) -> Iterator[str]:
        """Is in a shard what the manifest says, and are its ids those of the tokenizer?"""
        path = os.path.join(self._folder, entry.files[0].name)
        counts = Counts()
        try:
            shard = open_shard(path, self._manifest.head.format)
            if shard.schema and is_wide(shard.schema) != (self._manifest.head.vocab_size > 1 << 16):
                yield f"{path}: ids of another width than {self._manifest.head.vocab_size:,} tokens need"
            for number, batch in enumerate(shard.batches()):
                if defect := _batch_defect(batch, self._manifest.head.vocab_size):
                    yield f"{path}: {defect}, in record batch {number}"
                counts.add(EncodedRows(batch), self._vocabulary.unknown_id if self._vocabulary else None)
        except (GenotokError, OSError) as error:
            yield str(error)
            return
        for what in ("rows", "tokens", *(("bases",) if shard.schema else ()), "unknown"):
            found, expected = getattr(counts, what), getattr(entry, what)
            if found != expected and (what != "unknown" or self._vocabulary):
                noun = "unknown tokens" if what == "unknown" else what
                yield f"{path}: {found:,} {noun}, where the manifest says {expected:,}"


def verify_file(
    path: str | os.PathLike[str],
    *,
    against: Tokenizer | None = None,
    on_progress: BytesChecked = lambda _done, _total: None,
) -> Iterator[str]:
    """The defects of one file of encoded sequences, or of Megatron's pair; none if it is what was written.

    A file without checksums, of an older version or another program, is compared with what can be.

    Args:
        path: The file.
        against: The tokenizer that it is to be encoded with.
        on_progress: Called with the bytes checked so far and in all, about.

    Raises:
        ArgumentError: It is of no format that is read back.
        OSError: It cannot be read.
    """
    place = os.fspath(path)
    try:
        shard = open_shard(place)
    except SequenceFileError as error:
        yield str(error)
        return
    most, batches = shard.facts.get("vocab_size"), len(shard.batch_rows)
    size = sum(os.path.getsize(part) for part in shard.form.paths(place))
    for number in range(batches):
        try:
            defect = _batch_defect(shard.batch(number), most)
        except SequenceFileError as error:
            yield str(error)
        else:
            if defect:
                yield f"{place}: {defect}, in record batch {number}"
        on_progress(size * (number + 1) // batches, size)
    if against is not None:
        digest = shard.facts.get("tokenizer_sha256")
        if digest is None:
            yield f"{place}: does not say which tokenizer it was encoded with"
        elif digest not in against.digests:
            yield f"{place}: was encoded with another tokenizer"


def _batch_defect(batch: pa.RecordBatch, vocab_size: int | None) -> str:
    """What is wrong with the numbers of a record batch; nothing if they can be."""
    ids = ids_of(batch)
    if vocab_size is not None and len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < vocab_size:
        return f"an id of {int(ids.max()):,}, where there are {vocab_size:,} tokens"
    if batch.num_columns > 1 and batch.num_rows and int(starts_of(batch).min()) < 0:
        return "a row that begins before its record"
    if batch.num_columns > 1 and batch.num_rows and int(bases_of(batch).min()) < 0:
        return "a row that ends before it begins"
    return ""


def _input_defects(portion: Portion) -> Iterator[str]:
    """How the input files differ from what they were."""
    for entry in portion.inputs:
        if entry.bytes is None or entry.checksum is None:
            yield f"{entry.path}: was a pipe, and cannot be compared"
        elif defect := _file_defect(entry.path, entry.bytes, entry.checksum):
            yield f"{entry.path}: the input {defect}"


def _file_defect(path: str, num_bytes: int, checksum: str) -> str:
    """How a file differs from what it should be; nothing if it does not."""
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return "is not a regular file"
        if found.st_size != num_bytes:
            return f"has {found.st_size:,} bytes, where the manifest says {num_bytes:,}"
        if not has_checksum(path, checksum):
            return "has another checksum than the manifest says"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""
