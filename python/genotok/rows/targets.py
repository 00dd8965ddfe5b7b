"""The output for results of rows, and its format: from the output's name, or from `--format`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genotok.errors import ArgumentError
from genotok.files import kinds
from genotok.files.atomic import is_stream
from genotok.files.outputs import named
from genotok.options import OutputFormat

if TYPE_CHECKING:
    from collections.abc import Collection

    from genotok.files.kinds import OutputKind

__all__ = ["OutputFormat", "RowTarget"]

ENDINGS: dict[OutputFormat, tuple[str, ...]] = {
    "parquet": (".parquet",),
    "csv": (".csv",),
    "tsv": (".tsv",),
    "jsonl": (".jsonl", ".ndjson"),
    "bed": (".bed",),
    "bedgraph": (".bedgraph", ".bg"),
}
KINDS: dict[OutputFormat, OutputKind] = {
    "parquet": kinds.PARQUET,
    "csv": kinds.RESULT_TABLE,
    "tsv": kinds.RESULT_TABLE,
    "jsonl": kinds.RESULT_LINES,
    "bed": kinds.BED,
    "bedgraph": kinds.BEDGRAPH,
}
GZIP = ".gz"


@dataclass(frozen=True, slots=True)
class RowTarget:
    """An output as the user named it.

    Attributes:
        path: The file; `-` for standard output.
        form: Its format.
        is_gzip: Whether it is compressed.
    """

    path: str
    form: OutputFormat
    is_gzip: bool

    @classmethod
    def of(cls, output: str, form: OutputFormat | str | None, allowed: Collection[OutputFormat]) -> RowTarget:
        """The output at a path, in the format `form`, or in that of the path's ending.

        A stream (`-`, a device, a FIFO) without an ending gets Parquet, unless `form` is given.

        Raises:
            ArgumentError: The format is not allowed, or the ending is that of another format than `form`.
        """
        path = named(output)
        lower = path.lower()
        is_gzip = lower.endswith(GZIP)
        stem = lower.removesuffix(GZIP)
        found = next((name for name, ends in ENDINGS.items() if stem.endswith(ends)), None)
        if found == "parquet" and is_gzip:
            found = None  # its columns are compressed already
        if form is not None and form not in allowed:
            raise ArgumentError(f"format={form}: one of {', '.join(allowed)} is expected")
        if form is not None and found not in {None, form}:
            raise ArgumentError(f"output={path}: its ending says {found}, and format={form}; choose one")
        chosen = next((name for name in ENDINGS if name == form), found)
        if chosen is None and is_stream(path):
            chosen = "parquet"
        if chosen is None or chosen not in allowed:
            ends = ", ".join(ENDINGS[name][0] for name in allowed)
            raise ArgumentError(
                f"output={path}: a name in {ends} is expected (.gz behind it compresses text), "
                "or - for standard output"
            )
        return cls(path, chosen, is_gzip and chosen != "parquet")

    @property
    def kind(self) -> OutputKind:
        """Its kind, which decides what it may replace."""
        return KINDS[self.form]
