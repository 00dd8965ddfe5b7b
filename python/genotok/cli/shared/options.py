"""Options that several commands share, with one wording."""

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from genotok._native import MAX_UNKNOWN
from genotok.errors import ArgumentError
from genotok.options import RayOptions
from genotok.options.declaration import OUTPUT, ROWS, RUN, SYMBOLS, Option

__all__ = [
    "MAX_UNKNOWN",
    "AllowUnknown",
    "AsJson",
    "Force",
    "InputFiles",
    "InputFormat",
    "LabelColumn",
    "Memory",
    "MultiqcOptions",
    "ProblemTypeOption",
    "Quiet",
    "ReportOptions",
    "SequenceColumn",
    "SequenceColumns",
    "SequenceFiles",
    "Stride",
    "Threads",
    "TorchThreads",
    "Uppercase",
    "Window",
    "amount",
    "is_on_ray",
]

UNITS = {"k": 10**3, "m": 10**6, "g": 10**9}


def amount(text: str) -> int:
    """A number of bases or bytes: `500000000`, `500M`, `0.5G`, `500_000_000`."""
    number, unit = text.strip().lower().removesuffix("b"), 1
    if number[-1:] in UNITS:
        number, unit = number[:-1], UNITS[number[-1]]
    try:
        found = round(float(number.replace(",", "").replace("_", "")) * unit)
    except (ValueError, OverflowError):
        found = 0
    if not 0 < found < 1 << 63:
        raise typer.BadParameter(f"'{text}' is no number such as 500M or 500000000.")
    return found


ROWS_PANEL, SYMBOLS_PANEL, OUTPUT_PANEL, RUN_PANEL = ROWS, SYMBOLS, OUTPUT, RUN

SequenceFiles = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES...",
        help="FASTA or FASTQ, plain or compressed; packed files and folders of shards; quoted "
        "patterns such as 'genomes/**/*.fa'; - for standard input.",
        show_default=False,
    ),
]
InputFiles = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES...",
        help="FASTA or FASTQ; or tables with a header: CSV, TSV, JSON lines, Parquet; plain or compressed; "
        "quoted patterns; - for standard input.",
        show_default=False,
    ),
]
InputFormat = Annotated[
    Literal["fasta", "fastq", "csv", "tsv", "parquet", "jsonl"] | None,
    typer.Option(
        help="What the files are, where name and content do not say it.",
        show_default="by name and content",
        rich_help_panel=ROWS_PANEL,
    ),
]
SequenceColumn = Annotated[
    str | None,
    typer.Option(
        "--sequence",
        "--column",
        metavar="COLUMN",
        help="The column of sequences in tables.",
        show_default="sequence",
        rich_help_panel=ROWS_PANEL,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        metavar="N",
        help="Threads to use; the result does not depend on it.",
        show_default="all cores",
        rich_help_panel=RUN_PANEL,
    ),
]
TorchThreads = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Threads to use.", show_default="all cores", rich_help_panel=RUN_PANEL
    ),
]


def is_on_ray(ray: RayOptions) -> bool:
    """Whether the work is for a Ray cluster.

    Raises:
        ArgumentError: There are workers, but no cluster.
    """
    if ray.address is None and ray.workers is not None:
        raise ArgumentError(f"workers={ray.workers}: is for --ray; --threads is for this process")
    return ray.address is not None


Window = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="BASES",
        help="Cut records into rows of this length.",
        show_default="a record is a row",
        rich_help_panel=ROWS_PANEL,
    ),
]
Stride = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="BASES",
        help="From the begin of one window to that of the next.",
        show_default="as the window",
        rich_help_panel=ROWS_PANEL,
    ),
]
Uppercase = Annotated[
    bool,
    typer.Option("--uppercase", help="Read lower case as upper case.", rich_help_panel=SYMBOLS_PANEL),
]
AllowUnknown = Annotated[
    float,
    typer.Option(
        "--allow-unknown",
        min=0,
        max=1,
        metavar="SHARE",
        help="The share of a file's symbols that may be unknown: IUPAC codes, gaps, U; N does not count.",
        rich_help_panel=SYMBOLS_PANEL,
    ),
]
LABELS_PANEL = "Labels"

ProblemTypeOption = Annotated[
    Literal["classification", "regression", "multilabel"] | None,
    typer.Option(
        "--problem-type",
        help="What labels are: a class each, a number each, or lists of labels such as 'a;b'.",
        show_default="classes, where labels can be nothing else",
        rich_help_panel=LABELS_PANEL,
    ),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label",
        metavar="COLUMN",
        help="The column of labels.",
        show_default="label",
        rich_help_panel=LABELS_PANEL,
    ),
]
SequenceColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--sequence",
        metavar="COLUMN",
        help="The column of sequences; give it twice for pairs.",
        show_default="sequence, or sequence1 and sequence2",
        rich_help_panel=LABELS_PANEL,
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace an output that is there.", rich_help_panel=OUTPUT_PANEL)
]
Memory = Annotated[
    int | None,
    typer.Option(
        "--memory",
        metavar="BYTES",
        parser=amount,
        help="Hold less memory than this, such as 2G, or end with an error.",
        show_default="what it takes",
        rich_help_panel=RUN_PANEL,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object.", rich_help_panel=RUN_PANEL)
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress and no report; only errors.", rich_help_panel=RUN_PANEL),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """How a command reports what it did."""

    as_json: Annotated[
        bool, Option("Print the result as one JSON object.", flags=("--json",), panel=RUN_PANEL)
    ] = False
    quiet: Annotated[
        bool, Option("No progress and no report; only errors.", flags=("--quiet", "-q"), panel=RUN_PANEL)
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiqcOptions:
    """What a command leaves for a report of MultiQC."""

    multiqc: Annotated[
        str | None,
        Option(
            "Also write sections for a MultiQC report, as PREFIX_..._mqc.json.",
            metavar="PREFIX",
            default="none",
            panel=OUTPUT_PANEL,
        ),
    ] = None
