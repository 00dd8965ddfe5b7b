"""Fields that several option groups have, each declared once; and the choices that they offer."""

from __future__ import annotations

from typing import Annotated, Literal

from genotok._native import MAX_UNKNOWN
from genotok.options.declaration import LABELS, OUTPUT, ROWS, RUN, SYMBOLS, Option

__all__ = [
    "MAX_UNKNOWN",
    "OUTPUT_FORMAT",
    "AllowUnknown",
    "Force",
    "InputFormat",
    "InputFormatField",
    "LabelColumn",
    "OutputFormat",
    "ProblemType",
    "SequenceColumns",
    "Stride",
    "TableFormat",
    "Threads",
    "TorchThreads",
    "Uppercase",
    "Window",
]

InputFormat = Literal["fasta", "fastq", "csv", "tsv", "parquet", "jsonl"]
"""Formats of inputs; fasta and fastq stand for both."""

TableFormat = Literal["parquet", "csv", "tsv", "jsonl"]
"""Formats of tables of results."""

OutputFormat = Literal["parquet", "csv", "tsv", "jsonl", "bed", "bedgraph"]
"""Formats of results of rows."""

ProblemType = Literal["classification", "regression", "multilabel"]
"""One class per row; one number per row; any number of labels per row."""

Window = Annotated[
    int | None,
    Option(
        "Cut records into rows of this length.",
        metavar="BASES",
        min=1,
        default="a record is a row",
        panel=ROWS,
    ),
]
Stride = Annotated[
    int | None,
    Option(
        "From the start of one window to that of the next.",
        metavar="BASES",
        min=1,
        default="as the window",
        panel=ROWS,
    ),
]
InputFormatField = Annotated[
    InputFormat | None,
    Option(
        "What the files are, where name and content do not say it.", default="by name and content", panel=ROWS
    ),
]
AllowUnknown = Annotated[
    float,
    Option(
        "The share of a file's symbols that may be unknown: IUPAC codes, gaps, U; N does not count.",
        metavar="SHARE",
        min=0,
        max=1,
        panel=SYMBOLS,
    ),
]
Uppercase = Annotated[bool, Option("Read lower case as upper case.", panel=SYMBOLS)]
LabelColumn = Annotated[
    str | None,
    Option("The column of labels.", flags=("--label",), metavar="COLUMN", default="label", panel=LABELS),
]
SequenceColumns = Annotated[
    tuple[str, ...],
    Option(
        "The column of sequences; give it twice for pairs.",
        flags=("--sequence",),
        metavar="COLUMN",
        default="sequence, or sequence1 and sequence2",
        panel=LABELS,
    ),
]
OUTPUT_FORMAT = Option(
    "The format of the output.", flags=("--format",), default="what its name says; of - parquet", panel=OUTPUT
)
Force = Annotated[bool, Option("Replace an output that is there.", panel=OUTPUT)]
Threads = Annotated[
    int | None,
    Option(
        "Threads to use; the result does not depend on it.",
        metavar="N",
        min=1,
        default="all cores",
        panel=RUN,
    ),
]
TorchThreads = Annotated[
    int | None, Option("Threads to use.", metavar="N", min=1, default="all cores", panel=RUN)
]
