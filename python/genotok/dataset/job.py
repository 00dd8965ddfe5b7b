"""An encoding job: which files become what, as writers, folders and the manifest share it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from genotok import _native
from genotok.dataset.manifest import FileEntry, Head
from genotok.files.checksums import sha256

if TYPE_CHECKING:
    from genotok.dataset.formats import Format
    from genotok.dataset.vocabulary import Vocabulary

__all__ = ["TOKENIZER", "EncodingJob", "OpenRows", "RowReader"]

TOKENIZER = "tokenizer.json"
"""The tokenizer's name in a folder of shards."""


class RowReader(Protocol):
    """Record batches, and what was found on the way: what `Tokenizer.encode_files` gives.

    It is gone through batch by batch, not as an Arrow stream, which would tell of an error in words only.
    """

    def __arrow_c_schema__(self) -> object:
        """The schema of the batches."""
        ...

    def __iter__(self) -> Iterator[object]:
        """The batches, each with `__arrow_c_array__`."""
        ...

    def report(self) -> Mapping[str, Any]:
        """Counts so far, and digests of records read to their end."""
        ...

    def close(self) -> None:
        """Read no more."""
        ...


OpenRows = Callable[[Sequence[str], int], RowReader]
"""Opens files for encoding: given their paths, and the number of portions before them."""


@dataclass(frozen=True, slots=True)
class EncodingJob:
    """Which files are encoded, with which tokenizer, and into what.

    Attributes:
        form: The format of what is written.
        vocabulary: That of the tokenizer.
        inputs: The files, in order.
        options: Everything else that decides what the rows are.
        shard_bases: In a folder, a shard is full with the row that brings it to this many bases.
        in_one: All files are one portion, because what is wanted of each depends on the others.
    """

    form: Format
    vocabulary: Vocabulary
    inputs: tuple[str, ...]
    options: Mapping[str, Any]
    shard_bases: int = 0
    in_one: bool = False

    @property
    def num_portions(self) -> int:
        """How many pieces of work there are."""
        return 1 if self.in_one else len(self.inputs)

    def portion(self, index: int) -> list[str]:
        """The files of a portion."""
        return list(self.inputs) if self.in_one else [self.inputs[index]]

    @property
    def facts(self) -> dict[str, Any]:
        """What a file says of how it was made."""
        return {
            "genotok": _native.VERSION,
            "tokenizer_sha256": self.vocabulary.sha256,
            "vocab_size": self.vocabulary.size,
            "options": dict(self.options),
        }

    def head(self) -> Head:
        """The head of the manifest."""
        return Head(
            genotok=_native.VERSION,
            format=self.form.name,
            vocab_size=self.vocabulary.size,
            tokenizer=FileEntry(
                TOKENIZER, len(self.vocabulary.json.encode()), sha256(self.vocabulary.sha256)
            ),
            shard_bases=self.shard_bases,
            options=dict(self.options),
            inputs=self.inputs,
        )
