"""Models in training: how they are run; labelled sets, baselines, fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

from genotok.errors import ArgumentError
from genotok.options.declaration import LABELS, MODEL, RUN, Option
from genotok.options.fields import (
    MAX_UNKNOWN,
    AllowUnknown,
    LabelColumn,
    ProblemType,
    SequenceColumns,
    TorchThreads,
)
from genotok.options.run import Progress  # noqa: TC001 - the groups' types are read when they are shown

__all__ = [
    "BaselineKeywords",
    "BaselineOptions",
    "FinetuneKeywords",
    "FinetuneOptions",
    "LabelKeywords",
    "LabelOptions",
    "ModelRunKeywords",
    "ModelRunOptions",
    "OnStatus",
]

OnStatus = Callable[[str], None]
"""Called with a message before each step of the work."""

Seeds = Annotated[
    tuple[int, ...],
    Option("A run for each of these numbers.", metavar="LIST", separator=",", panel=RUN),
]

Stranded = Annotated[
    bool | None,
    Option(
        "Whether sequences are of one strand, so that the other is never read.",
        flags=("--stranded/--both-strands",),
        default="as known of sets of GUE, else both strands",
        panel=LABELS,
    ),
]
Aligned = Annotated[
    bool | None,
    Option(
        "Whether a place means the same in all sequences, as in windows around a site.",
        flags=("--aligned/--any-place",),
        default="as known of sets of GUE, else any place",
        panel=LABELS,
    ),
]


def _read_seeds(seeds: Sequence[object]) -> tuple[int, ...]:
    """Seeds as numbers, each once.

    Raises:
        ArgumentError: They are no whole numbers, or there are none.
    """
    texts = [str(seed).strip() for seed in seeds]
    if not texts or not all(text.isascii() and text.isdigit() for text in texts):
        raise ArgumentError(f"seeds={','.join(texts)}: whole numbers, at least one, are expected")
    return tuple(dict.fromkeys(map(int, texts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRunOptions:
    """How a model is trained in a process.

    Attributes:
        device: "auto", which takes CUDA, or "cpu".
        threads: Threads of encoding, and of torch on the CPU; None for all cores.
        progress: Called with a dictionary as the work proceeds; an exception stops it.
        on_status: Called with a message before each step of the work.
    """

    device: Annotated[str, Option("cpu, or auto, which takes CUDA.", metavar="NAME", panel=RUN)] = "auto"
    threads: TorchThreads = None
    progress: Progress | None = None
    on_status: OnStatus | None = None

    def notify(self, text: str) -> None:
        """Call `on_status`, if there is one."""
        if self.on_status is not None:
            self.on_status(text)


class ModelRunKeywords(TypedDict, total=False):
    """`ModelRunOptions` as keywords."""

    device: str
    threads: int | None
    progress: Progress | None
    on_status: OnStatus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """What the labels of sets are, and the names of their columns.

    Attributes:
        problem_type: The type of the labels; None to infer it.
        label: Name of the column of labels; None for `label`.
        sequences: Names of the one or two columns of sequences; empty for the usual names.
    """

    problem_type: Annotated[
        ProblemType | None,
        Option(
            "What labels are: a class each, a number each, or lists of labels such as 'a;b'.",
            default="classes, where labels can be nothing else",
            panel=LABELS,
        ),
    ] = None
    label: LabelColumn = None
    sequences: SequenceColumns = ()

    def __post_init__(self) -> None:
        """Give `sequences` one form."""
        object.__setattr__(self, "sequences", tuple(self.sequences))


class LabelKeywords(TypedDict, total=False):
    """`LabelOptions` as keywords."""

    problem_type: ProblemType | None
    label: str | None
    sequences: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneOptions:
    """What is fine-tuned, and how often; `genotok.finetune.finetune` explains each field.

    Raises:
        ArgumentError: `seeds` are no whole numbers, or there are none.
    """

    scratch: Annotated[
        bool,
        Option("Start from new weights of the same architecture.", flags=("--from-scratch",), panel=MODEL),
    ] = False
    teacher: Annotated[
        str | None,
        Option(
            "Also learn from predictions for train: a table of genotok predict, or a folder of them.",
            metavar="PATH",
            default="labels alone",
            panel=MODEL,
        ),
    ] = None
    seeds: Seeds = (1, 2, 3)
    with_baseline: Annotated[
        bool,
        Option(
            "Also the baselines: k-mers with regression, a small CNN, and their average.",
            flags=("--baseline/--no-baseline",),
            panel=RUN,
        ),
    ] = True
    stranded: Stranded = None
    aligned: Aligned = None
    resume: Annotated[bool, Option("Keep the results that are there.", panel=RUN)] = False
    problem_type: ProblemType | None = None
    allow_unknown: AllowUnknown = MAX_UNKNOWN
    budgets: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        """Read `seeds`, which the command line gives as text."""
        object.__setattr__(self, "seeds", _read_seeds(self.seeds))


class FinetuneKeywords(TypedDict, total=False):
    """`FinetuneOptions` as keywords."""

    scratch: bool
    teacher: str | None
    seeds: Sequence[int]
    with_baseline: bool
    stranded: bool | None
    aligned: bool | None
    resume: bool
    problem_type: ProblemType | None
    allow_unknown: float
    budgets: Mapping[str, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineOptions:
    """How baselines are fitted; `genotok.baseline.baselines` explains each field.

    Raises:
        ArgumentError: `seeds` are no whole numbers, or there are none.
    """

    seeds: Seeds = (1, 2, 3)
    stranded: Stranded = None
    aligned: Aligned = None
    resume: Annotated[bool, Option("Keep the results that are there.", panel=RUN)] = False
    allow_unknown: AllowUnknown = MAX_UNKNOWN

    def __post_init__(self) -> None:
        """Read `seeds`, which the command line gives as text."""
        object.__setattr__(self, "seeds", _read_seeds(self.seeds))


class BaselineKeywords(TypedDict, total=False):
    """`BaselineOptions` as keywords."""

    seeds: Sequence[int]
    stranded: bool | None
    aligned: bool | None
    resume: bool
    allow_unknown: float
