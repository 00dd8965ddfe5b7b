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
    rows = 0
    for one in record.sets:
        splits = one["splits"]
        rows += sum(split["rows"] for split in splits.values())
        test, missing = splits["test"], "" if "train" in splits else "*"
        for number, (other, overlap) in enumerate(test["against"].items()):
            table.append(_row(_cells(f"{one['name']}{missing}", other, overlap, one if not number else None)))
    slowest = max(record.sets, key=lambda one: one["seconds"])
    cores, memory = record.provenance.machine.get("cpu_cores", "?"), record.peak_memory_bytes / 1e6
    note = (
        f"{rows:,} rows of {len(record.sets)} sets in {record.seconds:.1f} s on {cores} CPU cores, "
        f"{memory:,.0f} MB at most; {slowest['name']} takes longest, {slowest['seconds']:.1f} s. *: train is "
        "not available, so the clean rows share no locus with dev."
    )
    return "\n".join([*table, "", note])


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
