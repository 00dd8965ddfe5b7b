"""The native module: arguments in, the interpreter's lock released, the core called, errors mapped.

Use `genotok.Tokenizer` and `genotok.pack`; they add path patterns and reports.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Self, SupportsIndex, final, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from typing_extensions import CapsuleType

from genotok.tokenizer.arrow import ArrowArray, ArrowStream
from genotok.tokenizer.encoding_report import EncodingReport
from genotok.tokenizer.padding import Padded, Side

__all__ = [
    "MAX_UNKNOWN",
    "Claim",
    "IndexedBed",
    "RecordBatch",
    "Shard",
    "ShardTraining",
    "TokenArray",
    "TokenReader",
    "Tokenizer",
    "add_answers",
    "batch_checksum",
    "check",
    "check_bases",
    "describe_unknown",
    "judge",
    "pack",
    "pack_shards",
    "packed_contents",
    "read_places",
    "shard_files",
    "simulate",
    "sweep",
    "temporary_name",
    "verify_shards",
]

MAX_UNKNOWN: float

@final
class Claim:
    def __new__(cls, path: str, *, folder: bool = False) -> Claim: ...
    def release(self) -> None: ...

def sweep(folder: str) -> None: ...
def temporary_name() -> str: ...

@final
class TokenArray:
    def __new__(
        cls,
        values: NDArray[np.uint16] | NDArray[np.uint32],
        offsets: NDArray[np.int64],
        spans: NDArray[np.int64] | None = None,
        validity: NDArray[np.bool_] | None = None,
        unknown: int | None = None,
        lower_case: int | None = None,
    ) -> TokenArray: ...
    @property
    def values(self) -> NDArray[np.uint16] | NDArray[np.uint32]: ...
    @property
    def offsets(self) -> NDArray[np.int64]: ...
    @property
    def spans(self) -> NDArray[np.int64] | None: ...
    @property
    def validity(self) -> NDArray[np.bool_] | None: ...
    @property
    def null_count(self) -> int: ...
    # `Any` stands for None: of a null, which only `nulls="null"` gives, and for the counts of a part.
    @property
    def unknown(self) -> int | Any: ...  # noqa: ANN401
    @property
    def lower_case(self) -> int | Any: ...  # noqa: ANN401
    def to_list(self) -> list[list[int] | Any]: ...
    def tolist(self) -> list[list[int] | Any]: ...
    def to_pylist(self) -> list[list[int] | Any]: ...
    def to_numpy(self) -> list[NDArray[np.uint16] | NDArray[np.uint32] | Any]: ...
    def pad(
        self,
        value: int,
        *,
        length: int | None = None,
        side: Side = "right",
        dtype: DTypeLike | None = None,
        truncate: bool = False,
    ) -> Padded: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: SupportsIndex, /) -> list[int] | Any: ...  # noqa: ANN401
    @overload
    def __getitem__(self, key: slice | ArrayLike, /) -> TokenArray: ...
    def __iter__(self) -> Iterator[list[int] | Any]: ...
    def __eq__(self, value: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, memo: dict[int, object], /) -> Self: ...
    def __reduce__(self) -> tuple[type[TokenArray], tuple[object, ...]]: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[CapsuleType, CapsuleType]: ...
    def __arrow_c_schema__(self) -> CapsuleType: ...

@final
class RecordBatch:
    @property
    def num_rows(self) -> int: ...
    @property
    def records(self) -> list[str]: ...
    @property
    def starts(self) -> NDArray[np.int64]: ...
    @property
    def ends(self) -> NDArray[np.int64]: ...
    @property
    def bed_rows(self) -> NDArray[np.int64] | None: ...
    @property
    def names(self) -> list[str] | None: ...
    @property
    def strands(self) -> list[str] | None: ...
    @property
    def input_ids(self) -> TokenArray: ...
    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[CapsuleType, CapsuleType]: ...
    def __arrow_c_schema__(self) -> CapsuleType: ...

@final
class TokenReader:
    def report(self) -> EncodingReport: ...
    def close(self) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> RecordBatch: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> None: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> CapsuleType: ...
    def __arrow_c_schema__(self) -> CapsuleType: ...

def pack_shards(
    paths: list[str],
    folder: str,
    *,
    shard_bases: int,
    append: bool,
    allow_unknown: float = ...,
    threads: int | None,
    progress: Callable[[dict[str, object]], None] | None,
) -> dict[str, object]: ...
def packed_contents(path: str) -> dict[str, object]: ...
def shard_files(folder: str) -> list[str]: ...
def read_places(path: str) -> str: ...
def verify_shards(folder: str) -> list[tuple[str, str]]: ...
def add_answers(answers: list[bytes]) -> bytes: ...

@final
class Shard:
    def __new__(cls, paths: list[str], *, allow_unknown: float = ..., threads: int | None) -> Shard: ...
    @property
    def bases(self) -> int: ...
    def answer(self, question: bytes) -> bytes: ...

@final
class ShardTraining:
    def __new__(
        cls,
        files: int,
        *,
        vocab_size: int,
        min_frequency: int,
        special_tokens: list[str],
        word_length: int | None,
        max_token_length: int | None,
        both_strands: bool,
        threads: int | None,
        checkpoint: str | None,
        resume: bool,
        progress: Callable[[dict[str, object]], None] | None,
    ) -> ShardTraining: ...
    def next(self) -> bytes | None: ...
    def look(self) -> None: ...
    def answer(self, answer: bytes) -> None: ...
    def stop(self) -> None: ...
    def result(self) -> tuple[Tokenizer, dict[str, object]] | None: ...

@final
class Tokenizer:
    @staticmethod
    def train(
        paths: list[str],
        *,
        vocab_size: int,
        min_frequency: int,
        special_tokens: list[str],
        word_length: int | None,
        max_token_length: int | None,
        both_strands: bool,
        allow_unknown: float = ...,
        threads: int | None,
        memory: int | None,
        checkpoint: str | None,
        resume: bool,
        progress: Callable[[dict[str, object]], None] | None,
    ) -> tuple[Tokenizer, dict[str, object]]: ...
    @staticmethod
    def train_words(
        words: list[tuple[str, int]],
        *,
        vocab_size: int,
        min_frequency: int,
        special_tokens: list[str],
        max_token_length: int | None,
        threads: int | None,
        seed: int | None,
    ) -> Tokenizer: ...
    @staticmethod
    def kmer(
        k: int, *, overlap: bool, canonical: bool, special_tokens: list[str] | None, uppercase: bool
    ) -> Tokenizer: ...
    def to_hugging_face_json(self) -> str: ...
    def to_json_in_other_form(self) -> str | None: ...
    @staticmethod
    def from_json(text: str, roles: tuple[dict[str, str], list[str]] = ...) -> Tokenizer: ...
    @staticmethod
    def from_file(path: str) -> Tokenizer: ...
    def to_json(self) -> str: ...
    def save(self, path: str) -> None: ...
    def truncate(self, vocab_size: int) -> Tokenizer: ...
    def automaton_size(self) -> tuple[int, int] | None: ...
    def why_no_automaton(self) -> str | None: ...
    @property
    def settings(self) -> dict[str, str]: ...
    @property
    def template(self) -> tuple[list[int], list[int]] | None: ...
    @property
    def post_processor(self) -> str: ...
    @property
    def roles(self) -> tuple[dict[str, str], list[str]]: ...
    @property
    def merges(self) -> list[tuple[str, str]]: ...
    @property
    def vocab(self) -> dict[str, int]: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def special_tokens(self) -> list[str]: ...
    def token_to_id(self, token: str) -> int | None: ...
    def id_to_token(self, id: int) -> str | None: ...  # noqa: A002
    @property
    def unknown_id(self) -> int | None: ...
    def encode(self, sequence: str | bytes) -> list[int]: ...
    def encode_batch(
        self,
        sequences: Iterable[str | bytes | None] | ArrowArray | ArrowStream,
        *,
        add_special_tokens: bool,
        unknown: str,
        uppercase: bool,
        offsets: bool,
        nulls: str,
        threads: int | None,
    ) -> TokenArray: ...
    def count_tokens(
        self,
        sequences: Iterable[str | bytes | None] | ArrowArray | ArrowStream,
        *,
        add_special_tokens: bool,
        unknown: str,
        uppercase: bool,
        nulls: str,
        threads: int | None,
    ) -> NDArray[np.int64]: ...
    def decode_batch(
        self,
        lists: TokenArray | ArrowArray | ArrowStream | Iterable[Iterable[int] | None],
        *,
        nulls: str,
        skip_special_tokens: bool = False,
    ) -> list[str | Any]: ...
    def encode_files(
        self,
        files: list[str],
        *,
        window: int | None,
        stride: int | None,
        regions: list[str],
        beds: list[tuple[str, bytes]],
        bed_blocks: bool,
        bed_order: bool,
        reverse_complement: bool,
        unknown: str,
        uppercase: bool,
        add_special_tokens: bool,
        batch_bases: int,
        digests: bool,
        allow_unknown: float = ...,
        need_bases: bool = ...,
        threads: int | None,
        progress: Callable[[dict[str, object]], None] | None,
    ) -> TokenReader: ...
    def decode(self, ids: Iterable[int]) -> str: ...
    def explain(self, sequence: str | bytes) -> list[dict[str, object]]: ...

def batch_checksum(batch: ArrowArray | ArrowStream, about: str, number: int) -> str: ...

@final
class IndexedBed:
    def __init__(self) -> None: ...
    def add(self, lines: str) -> bytes: ...
    def finish(self) -> tuple[bytes, bytes]: ...

def check(
    paths: list[str],
    *,
    limit: int,
    allow_unknown: float = ...,
    threads: int | None,
    progress: Callable[[dict[str, object]], None] | None,
) -> list[dict[str, object]]: ...
def pack(
    paths: list[str],
    output: str,
    *,
    allow_unknown: float = ...,
    threads: int | None,
    progress: Callable[[dict[str, object]], None] | None,
) -> dict[str, object]: ...
def check_bases(paths: list[str]) -> None: ...
def judge(
    path: str, counts: list[int], known: bytes, *, rows: int, allow_unknown: float
) -> dict[str, int]: ...
def describe_unknown(letters: int, unknown: dict[str, int]) -> str | None: ...
def simulate(num_bases: int, seed: int) -> bytes: ...
