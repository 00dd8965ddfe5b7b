"""What the studies found: kept while they run, shown as tables on the terminal and in Markdown.

A study is a table: its cases are rows, the tools columns, and a cell says how many million bases per second,
the time as a multiple of genotok's, and the peak memory. Speeds and times are of the median run.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from rich import box
from rich.table import Table
from rich.text import Text

from benchmarks import machine
from benchmarks.train import OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import RenderableType

    from genotok.run_records.schemas import BenchmarkRecord

Record = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """One row of a study.

    Attributes:
        study: The title of the study.
        title: What is encoded or trained, in a few words.
        bases: How many.
        caveats: The caveats of the comparison, the same for all rows of a study.
    """

    study: str
    title: str
    bases: int
    caveats: str


@dataclass
class Ledger:
    """What was measured so far, in order; what output is right; and which tools are missing."""

    results: dict[Case, list[Record]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    _right: dict[Case, Any] = field(default_factory=dict)

    def right(self, case: Case, make: Callable[[], T]) -> T:
        """What all tools must give on a case: made once, by genotok."""
        if case not in self._right:
            self._right[case] = make()
        answer: T = self._right[case]
        return answer

    def add(self, case: Case, result: Record) -> None:
        """Keep the figures of one tool."""
        self.results.setdefault(case, []).append(result)

    def cases(self) -> list[Record]:
        """All of it, as it stands in a record."""
        return [{**asdict(case), "results": results} for case, results in self.results.items()]


def studies(cases: Iterable[Record]) -> dict[str, list[Record]]:
    """The cases by study, in order."""
    grouped: dict[str, list[Record]] = defaultdict(list)
    for case in cases:
        grouped[case["study"]].append(case)
    return dict(grouped)


def engines(cases: Iterable[Record]) -> list[str]:
    """The tools that took part, genotok first."""
    names = dict.fromkeys(result["engine"] for case in cases for result in case["results"])
    return sorted(names, key=lambda name: name != OURS)


def rate(result: Record, bases: int) -> str:
    """Million bases per second: `1,234`, `56` or `7.89`."""
    speed = bases / result["median_seconds"] / 1e6
    return f"{speed:,.0f}" if speed >= 10 else f"{speed:.2f}"


def multiple(result: Record, ours: Record | None) -> str:
    """The time as a multiple of genotok's, 93 or 0.8; nothing for itself, or where it did not run."""
    if ours is None or result["engine"] == OURS:
        return ""
    times = result["median_seconds"] / ours["median_seconds"]
    return f"{times:,.0f}×" if times >= 10 else f"{times:.1f}×"


def differences(cases: Iterable[Record]) -> list[str]:
    """Where the output was not the same, in words."""
    return [
        f"{result['engine']}, {case['title']}: {result['same']}"
        for case in cases
        for result in case["results"]
        if result["same"] != "equal"
    ]


# -- the terminal -------------------------------------------------------------------------------------


def rendered(cases: Iterable[Record]) -> Iterator[RenderableType]:
    """For each study a table, and below it the caveats and where the output differs."""
    for study, rows in studies(cases).items():
        names = engines(rows)
        yield Text(study, style="bold underline")
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("Mbp/s")
        for name in names:
            table.add_column(name, justify="right", style="green" if name == OURS else "")
        for case in rows:
            by_engine = {result["engine"]: result for result in case["results"]}
            ours = by_engine.get(OURS)
            cells = [_cell(by_engine.get(name), ours, case["bases"]) for name in names]
            table.add_row(case["title"], *cells)
        yield table
        for line in (rows[0]["caveats"], *differences(rows)):
            yield Text(line, style="dim")
        yield ""


def _cell(result: Record | None, ours: Record | None, bases: int) -> Text:
    """The speed, and paler below it the multiple and the peak memory."""
    if result is None:
        return Text("–", style="dim")
    text = Text(rate(result, bases), style="bold" if result["engine"] == OURS else "")
    notes = [multiple(result, ours)]
    if result["peak_bytes"]:
        notes.append(f"{result['peak_bytes'] / 1e6:,.0f} MB")
    text.append("\n" + "  ".join(filter(None, notes)), style="dim not bold")
    return text


# -- Markdown -----------------------------------------------------------------------------------------


def markdown(record: BenchmarkRecord) -> str:
    """The tables of a record, one for each study with its caveats; the machine at the end."""
    lines: list[str] = []
    for study, rows in studies(record.cases).items():
        names = engines(rows)
        lines += [f"**{study}**", "", f"| Mbp/s | {' | '.join(names)} |"]
        lines += ["|---" + "|---:" * len(names) + "|"]
        for case in rows:
            by_engine = {result["engine"]: result for result in case["results"]}
            ours = by_engine.get(OURS)
            cells = [_markdown_cell(by_engine.get(name), ours, case["bases"]) for name in names]
            lines.append(f"| {case['title']} | {' | '.join(cells)} |")
        lines += ["", rows[0]["caveats"], *(f"{line}." for line in differences(rows)), ""]
    return "\n".join([*lines, conditions(record)])


def _markdown_cell(result: Record | None, ours: Record | None, bases: int) -> str:
    """Speed, multiple and memory, or a dash."""
    if result is None:
        return "–"
    notes = [multiple(result, ours)]
    if result["peak_bytes"]:
        notes.append(f"{result['peak_bytes'] / 1e6:,.0f} MB")
    return f"{rate(result, bases)} ({', '.join(filter(None, notes))})"


def conditions(record: BenchmarkRecord) -> str:
    """One paragraph on machine, versions, runs, and tools that were missing."""
    made = record.provenance
    versions = {result["engine"]: result["version"] for case in record.cases for result in case["results"]}
    tools = ", ".join(f"{name} {version}" for name, version in versions.items())
    missing = "".join(f" {name} is missing: {reason}." for name, reason in record.more["missing"].items())
    return (
        "Medians of the runs, each tool in a process of its own; equal output asserted first, except where "
        f"it says otherwise. {machine.described(made)}, load {record.more['load_before']} before; "
        f"{tools}, Python {made.software['python']}; {made.date}.{missing}"
    )
