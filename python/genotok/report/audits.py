"""The section of audits of labelled sets: what splits share, clusters, and a histogram of shifts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from genotok.report.canvas import Axis
from genotok.report.plots import Series, stems
from genotok.report.tables import Column, Figure, Headline, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import AuditRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from genotok.report.records import FoundRecord

__all__ = ["audit_section"]

MAX_HISTOGRAMS = 12
MAX_BARS = 40
"""Shifts of a histogram; of more, neighbours are added up."""

KINDS = (
    ("exact", "copies", "rows equal to a row of the other split"),
    ("windows", "windows", "further rows that overlap such a row, equal throughout the overlap"),
    ("reverse", "reverse complements", "further rows that are the other strand of such a row"),
    ("similar", "similar", "further rows that agree with such a row on most of an overlap, on either strand"),
)


def audit_section(found: FoundRecord) -> Section:
    """One record of `genotok gue audit`."""
    record = AuditRecord.from_json(found.data)
    options = record.options
    least, most = f"{options['min_overlap']:,}", f"{options['max_sequences']:,}"
    rule = (
        f"Windows: an overlap of at least {least} bases that are equal throughout. Similar: a run of at "
        f"least {least} equal bases, and {options['min_identity']:.0%} of the overlap equal. Clean rows are "
        "in no cluster with a row of an earlier split; a cluster joins all rows that share a locus. K-mers "
        f"of more than {most} sequences are ignored in the search for similar rows."
    )
    return Section(
        "Loci of labelled sets",
        found.name,
        facts(record),
        tuple(table for table in (_shared(record), _clusters(record)) if table.rows),
        tuple(_histograms(record)),
        (rule,),
        _summary(record),
        _headlines(record),
    )


def _shared(record: AuditRecord) -> ReportTable:
    """A row for each split of each set against each earlier one, and within it."""
    columns = (
        Column("set", numeric=False),
        Column("rows of", numeric=False),
        Column("share a locus with", numeric=False),
        Column("rows"),
        Column("share, %", "of the rows of the split"),
        *(Column(title, hint) for _, title, hint in KINDS),
        Column("same label, %", "of the rows that share a locus"),
    )
    rows = []
    for one in record.sets:
        for name, split in one["splits"].items():
            for other, overlap in [*split["against"].items(), ("rows above", split["within"])]:
                same = sum(overlap["same_label"].values())
                rows.append(
                    (
                        text(one["name"]),
                        text(name),
                        text(other),
                        number(overlap["rows"], "{:,}"),
                        number(overlap["rows"] / split["rows"], "{:.1f}", 100),
                        *(number(overlap[kind], "{:,}") for kind, _, _ in KINDS),
                        number(same / overlap["rows"] if overlap["rows"] else None, "{:.1f}", 100),
                    )
                )
    return ReportTable("Rows that share a locus", columns, tuple(rows))


def _clusters(record: AuditRecord) -> ReportTable:
    """A row for each set."""
    columns = (
        Column("set", numeric=False),
        Column("splits", numeric=False),
        Column("rows"),
        Column("clusters", "sets of rows that are joined by shared loci"),
        Column("largest", "rows of the largest cluster"),
        Column("in several splits", "clusters with rows of more than one split"),
        Column("clean test rows", "in no cluster with a row of another split"),
        Column("clean, %"),
        Column("repeats", "k-mers that were ignored"),
        Column("seconds"),
    )
    rows = []
    for one in record.sets:
        splits, loci = one["splits"], one["loci"]
        test = splits["test"]
        rows.append(
            (
                text(one["name"]),
                text(", ".join(splits)),
                number(sum(split["rows"] for split in splits.values()), "{:,}"),
                number(loci["clusters"], "{:,}"),
                number(loci["largest"], "{:,}"),
                number(loci["across"], "{:,}"),
                number(test["clean"], "{:,}"),
                number(test["clean"] / test["rows"], "{:.1f}", 100),
                number(loci["frequent_kmers"], "{:,}"),
                number(one.get("seconds"), "{:.2f}"),
            )
        )
    return ReportTable("Clusters", columns, tuple(rows))


def _histograms(record: AuditRecord) -> Iterator[Figure]:
    """The shifts of windows of the test split, a plot for each set that has them."""
    having = [(one["name"], shifts) for one in record.sets if (shifts := _shifts(one))]
    for name, shifts in having[:MAX_HISTOGRAMS]:
        left = len(having) - MAX_HISTOGRAMS
        more = (
            f" ({left} more sets are not drawn)" if left > 0 and name == having[MAX_HISTOGRAMS - 1][0] else ""
        )
        series = [
            Series(f"windows of {other}", list(bars), list(bars.values())) for other, bars in shifts.items()
        ]
        x = Axis("bases from the start of the other row to that of the test row", from_zero=False)
        yield stems(f"{name}: shifts of test rows{more}", series, x, Axis("test rows"))


def _shifts(one: Mapping[str, Any]) -> dict[str, dict[float, int]]:
    """The histogram of the shifts of test rows for each other split that has some."""
    against = one["splits"]["test"]["against"]
    places = [place for overlap in against.values() for place, _ in overlap["shifts"]]
    if not places:
        return {}
    width = -(-(max(places) - min(places) + 1) // MAX_BARS)
    found: dict[str, dict[float, int]] = {}
    for other, overlap in against.items():
        bars = Counter[float]()
        for place, rows in overlap["shifts"]:
            bars[place // width * width + (width - 1) / 2] += rows
        if bars:
            found[other] = dict(sorted(bars.items()))
    return found


def _summary(record: AuditRecord) -> str:
    """How many sets share loci between test and other splits, and the worst."""
    shares = {one["name"]: 1 - _clean(one) for one in record.sets}
    leaking = [name for name, share in shares.items() if share > 0]
    if not leaking:
        return f"{len(shares):,} sets: no test row is in a cluster with a row of another split."
    worst = max(shares, key=lambda name: shares[name])
    return (
        f"{len(shares):,} sets: in {len(leaking):,}, test rows are in clusters with rows of other splits; "
        f"most in {worst}, {shares[worst]:.1%} of its test rows."
    )


def _headlines(record: AuditRecord) -> tuple[Headline, ...]:
    """The share of clean test rows of a single set, or of all."""
    test = sum(one["splits"]["test"]["rows"] for one in record.sets)
    clean = sum(one["splits"]["test"]["clean"] for one in record.sets)
    return (Headline("clean test rows", f"{clean:,}", f"of {test:,} ({clean / test:.1%})"),) if test else ()


def _clean(one: Mapping[str, Any]) -> float:
    """The share of test rows of a set that are clean."""
    test = one["splits"]["test"]
    return float(test["clean"] / test["rows"])
