"""What a table on the page is: columns with units, and cells that know what they sort by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from genotok.run_records.schemas import RunRecord

__all__ = [
    "Cell",
    "Column",
    "Figure",
    "Headline",
    "LegendEntry",
    "ReportTable",
    "Section",
    "facts",
    "number",
    "once",
    "text",
]


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; `hint` says what is in the column, with its unit. Numbers stand on the right."""

    title: str
    hint: str = ""
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """What is shown, what it sorts by (None comes last), and whether it is to be seen first.

    `shade` is how dark the cell's ground is, from 0 to 9, where a table is a map; None for no ground.
    """

    text: str
    value: float | str | None
    strong: bool = False
    shade: int | None = None


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table with its caption. Neighbours of one `fold` are behind that heading until it is opened."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    fold: str = ""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """An entry of a legend.

    Attributes:
        name: The series.
        colour: Which of the six colours, from 1; 0 for that of text.
        mark: Its line and marker as characters.
        note: What is to be known of it, such as that it has no data; "" if nothing.
    """

    name: str
    colour: int
    mark: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot: its caption, the SVG, its legend, and how to read it."""

    caption: str
    svg: str
    series: tuple[LegendEntry, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure that is to be seen first: what it is, its value, and what it is to be compared with."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What the page says of one record.

    Attributes:
        title: What was compared.
        source: The record's file.
        facts: Labelled facts on machine, versions and options.
        tables: The tables.
        figures: The plots.
        caveats: What to know before figures are compared, a sentence or more each.
        summary: What was found, in a sentence or two.
        headlines: The figures to be seen first.
    """

    title: str
    source: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[ReportTable, ...] = ()
    figures: tuple[Figure, ...] = ()
    caveats: tuple[str, ...] = field(default=())
    summary: str = ""
    headlines: tuple[Headline, ...] = ()


def text(shown: object) -> Cell:
    """A cell of words."""
    return Cell(str(shown), str(shown).casefold())


def number(value: float | None, form: str = "{:,.4g}", scale: float = 1, *, strong: bool = False) -> Cell:
    """A cell with a number times `scale`, or a dash where there is none."""
    if value is None:
        return Cell("–", None)
    shown = form.format(value * scale)
    if not shown.strip("-0.,"):
        shown = shown.removeprefix("-")  # a rounded zero has no sign
    return Cell(shown, float(value), strong)


def facts(record: RunRecord) -> tuple[tuple[str, str], ...]:
    """Machine, versions, date and command of a record, as far as it has them."""
    data, made = record.to_json(), record.provenance
    told = [
        ("date", str(made.date)),
        ("machine", _machine(made.machine or {})),
        ("accelerator", str((data.get("accelerator") or {}).get("name", ""))),
        ("versions", ", ".join(f"{name} {version}" for name, version in (made.software or {}).items())),
        ("threads", str(data.get("threads") or "")),
        ("time and memory", _cost(data)),
        ("command", str(made.command)),
    ]
    return tuple((label, fact) for label, fact in told if fact)


def _cost(record: Mapping[str, Any]) -> str:
    """Duration and peak memory, where the record has them."""
    seconds, peak = record.get("seconds"), record.get("peak_memory_bytes")
    words = [f"{seconds:,.0f} s" if seconds else "", f"{peak / 1e6:,.0f} MB at most" if peak else ""]
    return ", ".join(word for word in words if word)


def _machine(machine: Mapping[str, Any]) -> str:
    """CPU, cores, memory and system."""
    cores, memory = machine.get("cpu_cores"), machine.get("memory_bytes")
    words = [
        str(machine.get("cpu", "")),
        f"{cores} cores" if cores else "",
        f"{memory / 2**30:.0f} GiB" if memory else "",
        str(machine.get("system", "")),
    ]
    return ", ".join(word for word in words if word)


def once(reasons: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Reasons, each once, behind the titles that it was given for."""
    titles: dict[str, list[str]] = {}
    for title, reason in reasons:
        if reason.strip():
            titles.setdefault(reason.strip(), []).append(title)
    return tuple(f"{'; '.join(names)}: {reason}" for reason, names in titles.items())
