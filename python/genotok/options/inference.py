"""Models in use: embedding, prediction and evaluation of rows of files."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - the groups' types are read when they are shown
from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict

from genotok.options.declaration import MODEL, OUTPUT, ROWS, SYMBOLS, Option
from genotok.options.fields import (
    MAX_UNKNOWN,
    OUTPUT_FORMAT,
    AllowUnknown,
    Force,
    InputFormat,
    InputFormatField,
    LabelColumn,
    OutputFormat,
    SequenceColumns,
    Stride,
    TableFormat,
    TorchThreads,
    Uppercase,
    Window,
)

__all__ = [
    "MAX_EMBEDDED_TOKENS",
    "AttentionBackend",
    "DataType",
    "EmbedderKeywords",
    "EmbedderOptions",
    "EmbeddingKeywords",
    "EmbeddingOptions",
    "EvaluationKeywords",
    "EvaluationOptions",
    "Pooling",
    "PredictionKeywords",
    "PredictionOptions",
    "PredictionOutputKeywords",
    "PredictionOutputOptions",
    "TableOutputKeywords",
    "TableOutputOptions",
]

Pooling = Literal["mean", "cls"]
DataType = Literal["float32", "bfloat16", "float16"]
AttentionBackend = Literal["auto", "eager", "sdpa", "flash", "flex"]
"""Those of `genotok.model.backends`, which stands alone."""

MAX_EMBEDDED_TOKENS = 32_768
"""The default limit on a row, about 160,000 bases: the time of a row is quadratic in its length, and a whole
chromosome would take years."""

MaxTokens = Annotated[
    int | None,
    Option("Cut longer sequences, and say how many.", metavar="N", min=4, default="none is cut"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderOptions:
    """How an `Embedder` computes; it explains each field."""

    pooling: Annotated[
        Pooling, Option("The vector of a row: the mean over its tokens, or the vector of [CLS].", panel=MODEL)
    ] = "mean"
    device: Annotated[
        str, Option("cpu, cuda, cuda:1, ...; auto takes CUDA.", metavar="NAME", panel=MODEL)
    ] = "auto"
    dtype: Annotated[DataType, Option("Data type of the model; vectors are float32.", panel=MODEL)] = (
        "float32"
    )
    attention: Annotated[AttentionBackend, Option("The attention backend.", panel=MODEL)] = "auto"
    batch_tokens: Annotated[
        int,
        Option(
            "Tokens per batch: more take more memory, and may be faster.", metavar="N", min=1, panel=MODEL
        ),
    ] = 8192
    threads: TorchThreads = None


class EmbedderKeywords(TypedDict, total=False):
    """`EmbedderOptions` as keywords."""

    pooling: Pooling
    device: str
    dtype: DataType
    attention: AttentionBackend
    batch_tokens: int
    threads: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingOptions:
    """Which rows are embedded; `genotok.embedding.embed` explains each field."""

    column: Annotated[
        str | None,
        Option(
            "The column of sequences in tables.",
            flags=("--sequence", "--column"),
            metavar="COLUMN",
            default="sequence",
            panel=ROWS,
        ),
    ] = None
    input_format: InputFormatField = None
    window: Window = None
    stride: Stride = None
    max_tokens: Annotated[
        int,
        Option(
            "The longest row allowed; a longer one is an error, never cut.", metavar="N", min=1, panel=ROWS
        ),
    ] = MAX_EMBEDDED_TOKENS
    unknown: Annotated[
        Literal["token", "error"],
        Option("Symbols outside the vocabulary: the unknown token for each, or an error.", panel=SYMBOLS),
    ] = "token"
    allow_unknown: AllowUnknown = MAX_UNKNOWN
    uppercase: Uppercase = False


class EmbeddingKeywords(TypedDict, total=False):
    """`EmbeddingOptions` as keywords."""

    column: str | None
    input_format: InputFormat | None
    window: int | None
    stride: int | None
    max_tokens: int
    unknown: Literal["token", "error"]
    allow_unknown: float
    uppercase: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOutputOptions:
    """How a table of results is written."""

    output_format: Annotated[TableFormat | None, OUTPUT_FORMAT] = None
    force: Force = False


class TableOutputKeywords(TypedDict, total=False):
    """`TableOutputOptions` as keywords."""

    output_format: TableFormat | None
    force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionOptions:
    """Which rows a model predicts; `Classifier.predict` explains each field."""

    sequence: SequenceColumns = ()
    input_format: InputFormatField = None
    window: Window = None
    stride: Stride = None
    max_tokens: MaxTokens = None
    allow_unknown: AllowUnknown = MAX_UNKNOWN

    def __post_init__(self) -> None:
        """Give `sequence` one form."""
        object.__setattr__(self, "sequence", _names(self.sequence))


class PredictionKeywords(TypedDict, total=False):
    """`PredictionOptions` as keywords."""

    sequence: str | Sequence[str] | None
    input_format: InputFormat | None
    window: int | None
    stride: int | None
    max_tokens: int | None
    allow_unknown: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionOutputOptions:
    """How predictions are written."""

    output_format: Annotated[OutputFormat | None, OUTPUT_FORMAT] = None
    class_name: Annotated[
        str | None,
        Option(
            "The class whose probability bedGraph holds.",
            flags=("--class",),
            metavar="NAME",
            default="the second of two",
            panel=OUTPUT,
        ),
    ] = None
    force: Force = False


class PredictionOutputKeywords(TypedDict, total=False):
    """`PredictionOutputOptions` as keywords."""

    output_format: OutputFormat | None
    class_name: str | None
    force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationOptions:
    """Which labelled rows a model is evaluated on; `Classifier.evaluate` explains each field."""

    sequence: SequenceColumns = ()
    label: LabelColumn = None
    input_format: InputFormatField = None
    max_tokens: MaxTokens = None
    allow_unknown: AllowUnknown = MAX_UNKNOWN

    def __post_init__(self) -> None:
        """Give `sequence` one form."""
        object.__setattr__(self, "sequence", _names(self.sequence))


class EvaluationKeywords(TypedDict, total=False):
    """`EvaluationOptions` as keywords."""

    sequence: str | Sequence[str] | None
    label: str | None
    input_format: InputFormat | None
    max_tokens: int | None
    allow_unknown: float


def _names(given: str | Sequence[str] | None) -> tuple[str, ...]:
    """None, one name or several, as a tuple."""
    return (given,) if isinstance(given, str) else tuple(given or ())
