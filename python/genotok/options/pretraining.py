"""Pre-training, and comparisons of tokenizers, which pre-train on each."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - the groups' types are read when they are shown
from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict

from genotok.options.declaration import MODEL, ROWS, RUN, Option, check_numbers
from genotok.options.fields import MAX_UNKNOWN, AllowUnknown, ProblemType

__all__ = ["ComparisonKeywords", "ComparisonOptions", "Equal", "PretrainKeywords", "PretrainOptions"]

Equal = Literal["bases", "compute"]
"""What is the same for all tokenizers of a comparison."""

HoldOut = Annotated[
    tuple[str, ...],
    Option(
        "Evaluate on this record and do not train on it; may be given again.",
        metavar="RECORD",
        default="the last hundredth of all",
        panel=MODEL,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainOptions:
    """What is pre-trained on what; `genotok.pretrain.pretrain` explains each field."""

    tokenizer: Annotated[
        str | None,
        Option(
            "A tokenizer.json.",
            flags=("--tokenizer", "-t"),
            metavar="FILE",
            default="that of encoded files, or tokenizer.json here",
            panel=MODEL,
        ),
    ] = None
    hold_out: HoldOut = ()
    windows: Annotated[
        int | None,
        Option(
            "Cut genomes into windows of this length, at new places and on random strands in each epoch.",
            metavar="BASES",
            min=1,
            default="encode once",
            panel=ROWS,
        ),
    ] = None
    stranded: Annotated[bool, Option("Read windows on the strand in the files only.", panel=ROWS)] = False
    allow_unknown: AllowUnknown = MAX_UNKNOWN
    resume: Annotated[bool, Option("Resume a run that was stopped.", panel=RUN)] = False
    report_to: Annotated[
        tuple[str, ...],
        Option(
            "Also log to a tracker that transformers knows, such as tensorboard.",
            metavar="TRACKER",
            default="log.jsonl only",
            panel=RUN,
        ),
    ] = ()

    def __post_init__(self) -> None:
        """Give lists one form."""
        object.__setattr__(self, "hold_out", tuple(self.hold_out))
        object.__setattr__(self, "report_to", tuple(self.report_to))
        check_numbers(self)


class PretrainKeywords(TypedDict, total=False):
    """`PretrainOptions` as keywords."""

    tokenizer: str | None
    hold_out: Sequence[str]
    windows: int | None
    stranded: bool
    allow_unknown: float
    resume: bool
    report_to: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonOptions:
    """What a comparison of tokenizers trains on; `genotok.compare.compare` explains each field."""

    hold_out: HoldOut = ()
    equal: Annotated[
        Equal,
        Option(
            "The same bases for all models, or the floating-point operations of the first one.",
            panel=MODEL,
        ),
    ] = "bases"
    resume: Annotated[bool, Option("Resume a comparison that was stopped.", panel=RUN)] = False
    problem_type: ProblemType | None = None
    allow_unknown: AllowUnknown = MAX_UNKNOWN

    def __post_init__(self) -> None:
        """Give lists one form."""
        object.__setattr__(self, "hold_out", tuple(self.hold_out))


class ComparisonKeywords(TypedDict, total=False):
    """`ComparisonOptions` as keywords."""

    hold_out: Sequence[str]
    equal: Equal
    resume: bool
    problem_type: ProblemType | None
    allow_unknown: float
