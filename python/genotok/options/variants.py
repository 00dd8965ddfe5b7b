"""Scores of variants under a masked language model: which, of which window, and how they are computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict, get_args

from genotok.errors import ArgumentError
from genotok.options.declaration import MODEL, OUTPUT, ROWS, RUN, Option, check_numbers
from genotok.options.fields import (
    OUTPUT_FORMAT,
    Force,
    TableFormat,
    TorchThreads,
)
from genotok.options.inference import AttentionBackend, DataType  # noqa: TC001 - likewise

__all__ = [
    "DEFAULT_SCORES",
    "MutagenesisOptions",
    "Score",
    "ScoreFileKeywords",
    "ScoreFileOptions",
    "ScoreFormat",
    "ScoringKeywords",
    "ScoringOptions",
    "Strands",
    "TrackOptions",
    "Unfitting",
]

Score = Literal["pll", "marginal", "embedding"]
Strands = Literal["both", "forward"]
Unfitting = Literal["error", "skip"]
Shown = Literal["entropy", "probability", "attribution"]
TrackFormat = Literal["bedgraph", "parquet", "csv", "tsv", "jsonl"]
ScoreFormat = Literal["vcf", "parquet", "csv", "tsv", "jsonl"]

DEFAULT_SCORES = ("pll", "marginal")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringOptions:
    """How variants are scored; `genotok.variants.VariantScorer` explains each field."""

    scores: Annotated[
        tuple[str, ...],
        Option("Scores to compute: pll, marginal, embedding.", metavar="NAMES", panel=MODEL, separator=","),
    ] = DEFAULT_SCORES
    window: Annotated[
        int, Option("Bases that the model sees, around each variant.", metavar="BASES", min=2, panel=MODEL)
    ] = 512
    strands: Annotated[
        Strands, Option("The mean over both strands, or the forward strand alone.", panel=MODEL)
    ] = "both"
    batch_tokens: Annotated[
        int,
        Option(
            "Tokens per batch: more take more memory, and may be faster.", metavar="N", min=1, panel=MODEL
        ),
    ] = 8192
    device: Annotated[
        str, Option("cpu, cuda, cuda:1, ...; auto takes CUDA.", metavar="NAME", panel=MODEL)
    ] = "auto"
    dtype: Annotated[
        DataType, Option("Data type of the model; scores are computed in float32.", panel=MODEL)
    ] = "float32"
    attention: Annotated[AttentionBackend, Option("The attention backend.", panel=MODEL)] = "auto"
    threads: TorchThreads = None

    def __post_init__(self) -> None:
        """Check the numbers and the names of scores.

        Raises:
            ArgumentError: A value is out of range, or there is no score of that name.
        """
        check_numbers(self)
        known = get_args(Score)
        names = tuple(self.scores)
        for name in names or ("",):
            if name not in known:
                raise ArgumentError(f"scores={name}: one or more of {', '.join(known)} is expected")
        object.__setattr__(self, "scores", tuple(name for name in known if name in names))


class ScoringKeywords(TypedDict, total=False):
    """`ScoringOptions` as keywords."""

    scores: tuple[str, ...]
    window: int
    strands: Strands
    batch_tokens: int
    device: str
    dtype: DataType
    attention: AttentionBackend
    threads: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreFileOptions:
    """Which variants of a file are scored, and how they are written; `score_files` explains each field."""

    unfitting: Annotated[
        Unfitting,
        Option(
            "Variants whose contig, position or REF the reference has not: an error with the line, or "
            "skipped and counted.",
            panel=ROWS,
        ),
    ] = "error"
    output_format: Annotated[
        ScoreFormat | None,
        Option(
            "The format of the output.",
            flags=("--format",),
            default="what its name says; of - vcf",
            panel=OUTPUT,
        ),
    ] = None
    force: Force = False
    resume: Annotated[
        bool, Option("Continue an interrupted run, whose scores are in OUTPUT.partial.", panel=RUN)
    ] = False


class ScoreFileKeywords(TypedDict, total=False):
    """`ScoreFileOptions` as keywords."""

    unfitting: Unfitting
    output_format: ScoreFormat | None
    force: bool
    resume: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MutagenesisOptions:
    """What `mutagenesis` computes and writes beside its table; it explains each field."""

    deletions: Annotated[bool, Option("Also delete each base.", panel=ROWS)] = False
    score: Annotated[Score, Option("The score that plot and track show.", panel=OUTPUT)] = "pll"
    plot: Annotated[
        str | None,
        Option(
            "Also write a heat map and a sequence logo, as SVG.", metavar="FILE", default="none", panel=OUTPUT
        ),
    ] = None
    track: Annotated[
        str | None,
        Option(
            "Also write the mean score of each base: a name in .bedgraph, or in .bw with pyBigWig.",
            metavar="FILE",
            default="none",
            panel=OUTPUT,
        ),
    ] = None
    output_format: Annotated[TableFormat | None, OUTPUT_FORMAT] = None
    force: Force = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackOptions:
    """What `track` computes, and how; it explains each field."""

    show: Annotated[
        Shown,
        Option(
            "Entropy of the bases in bits, probability of the base that is there, or its share in an output "
            "of a classifier.",
            panel=OUTPUT,
        ),
    ] = "entropy"
    class_name: Annotated[
        str | None,
        Option(
            "The class that attribution explains.",
            flags=("--class",),
            metavar="NAME",
            default="the second of two",
            panel=OUTPUT,
        ),
    ] = None
    window: Annotated[
        int,
        Option(
            "Bases of a window, which gives numbers for its middle half.", metavar="BASES", min=2, panel=MODEL
        ),
    ] = 512
    strands: Annotated[
        Strands, Option("The mean over both strands, or the forward strand alone.", panel=MODEL)
    ] = "both"
    batch_tokens: Annotated[int, Option("Tokens per batch.", metavar="N", min=1, panel=MODEL)] = 8192
    device: Annotated[
        str, Option("cpu, cuda, cuda:1, ...; auto takes CUDA.", metavar="NAME", panel=MODEL)
    ] = "auto"
    output_format: Annotated[
        TrackFormat | None,
        Option(
            "The format of the output.",
            flags=("--format",),
            default="what its name says; of - parquet",
            panel=OUTPUT,
        ),
    ] = None
    force: Force = False
    threads: TorchThreads = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ArgumentError: One is out of range.
        """
        check_numbers(self)
