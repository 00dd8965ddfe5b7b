"""Sets in records of runs, reduced to what was scored on clean rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]

__all__ = ["clean_set"]


def clean_set(one: Row) -> dict[str, Any] | None:
    """A set with the scores of the clean rows in the place of those of all; None if its runs have none."""
    runs = _clean_runs(one.get("runs", ()), one["metric"])
    fitted = {
        key: {**found, "runs": clean}
        for key, found in (one.get("baselines") or {}).items()
        if (clean := _clean_runs(found["runs"], one["metric"]))
    }
    return {**one, "runs": runs, "baselines": fitted, "baseline": None} if runs or fitted else None


def _clean_runs(runs: Sequence[Row], metric: str) -> list[dict[str, Any]]:
    """The runs that were scored on clean rows, with those scores."""
    return [{**run, "test": clean} for run in runs if metric in (clean := run["test"].get("clean") or {})]
