"""The table of digests, command and versions that genotok wrote beside a run or a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.tables import Column, ReportTable, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genotok.run_records.schemas import Json

__all__ = ["identity_table"]

MAX_ROWS = 200
KEYS = ("digests", "identity")
NOT_IDENTITIES = frozenset({"kind", "settings", "metrics"})
"""Parts of a model's manifest that are no identities."""


def identity_table(record: Json) -> tuple[ReportTable, ...]:
    """The digests of a record, one in each row; none if it has none."""
    parts = [record[key] for key in KEYS if isinstance(record.get(key), dict)]
    found = [
        row
        for part in parts
        for key, value in part.items()
        if key not in NOT_IDENTITIES
        for row in _flat(key, value)
    ]
    if not found:
        return ()
    left = f" (the first {MAX_ROWS} of {len(found):,})" if len(found) > MAX_ROWS else ""
    rows = tuple((text(name), text(value)) for name, value in found[:MAX_ROWS])
    columns = (Column("what", numeric=False), Column("value", numeric=False))
    return (ReportTable(f"Digests (SHA-256), versions and command{left}", columns, rows, "Identity"),)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  any JSON
    """Names and values of all that is within a value, with dots between the names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for number, inner in enumerate(value, 1):
            yield from _flat(f"{name}.{number}", inner)
    elif value is not None:
        yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
