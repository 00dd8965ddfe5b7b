"""The table of test rows that share loci with other splits, from a record of `genotok gue audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genotok.run_records.schemas import AuditRecord

__all__ = ["markdown"]

HEAD = (
    "set",
    "with",
    "exact",
    "windows",
    "reverse",
    "similar",
    "rows",
    "same label",
    "clean of test",
    "largest cluster",
)


def markdown(record: AuditRecord) -> str:
    """A row for the test split of each set and each split that it is compared with; then time and memory."""
    table = [_row(HEAD), _row(["---", "---", *["---:"] * (len(HEAD) - 2)])]
    for one in record.sets:
        splits = one["splits"]
        test, missing = splits["test"], "" if "train" in splits else "*"
        for number, (other, overlap) in enumerate(test["against"].items()):
            table.append(_row(_cells(f"{one['name']}{missing}", other, overlap, one if not number else None)))
    slowest = max(record.sets, key=lambda one: one["seconds"])
    largest = max(record.sets, key=_rows)
    cores, memory = record.provenance.machine.get("cpu_cores", "?"), record.peak_memory_bytes / 1e6
    note = (
        f"{sum(map(_rows, record.sets)):,} rows of {len(record.sets)} sets in {record.seconds:.1f} s on "
        f"{cores} CPU cores, {memory:,.0f} MB at most. The largest set, {largest['name']} with "
        f"{_rows(largest):,} rows, takes {largest['seconds']:.1f} s; {slowest['name']} takes longest, "
        f"{slowest['seconds']:.1f} s. *: train is not available, so the clean rows share no locus with dev."
    )
    return "\n".join([*table, "", note])


def _rows(one: Mapping[str, Any]) -> int:
    """Rows of all splits of a set."""
    return sum(split["rows"] for split in one["splits"].values())


def _cells(name: str, other: str, overlap: Mapping[str, Any], of_set: Mapping[str, Any] | None) -> list[str]:
    """The cells of a row; those of the whole set in its first one."""
    kinds = [f"{overlap[kind]:,}" for kind in ("exact", "windows", "reverse", "similar", "rows")]
    same = f"{sum(overlap['same_label'].values()) / overlap['rows']:.0%}" if overlap["rows"] else ""
    if of_set is None:
        return [name, other, *kinds, same, "", ""]
    test = of_set["splits"]["test"]
    clean = f"{test['clean']:,} of {test['rows']:,}"
    return [name, other, *kinds, same, clean, f"{of_set['loci']['largest']:,}"]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
