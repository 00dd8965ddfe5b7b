"""The baselines in records of runs: their keys, titles, runs and sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Row = Mapping[str, Any]

__all__ = ["BASELINES", "runs_of_baselines", "sizes_of_baselines"]

BASELINES = {"kmers": "k-mer baseline", "cnn": "CNN baseline", "average": "averaged baseline"}
"""The key of each baseline in records, and its title in tables."""


def runs_of_baselines(there: Iterable[Row]) -> dict[str, Sequence[Row]]:
    """The runs of each baseline by title, from the first entry of a set that has baselines."""
    for one in there:
        if one.get("baselines"):
            fitted = one["baselines"]
            return {title: fitted[key]["runs"] for key, title in BASELINES.items() if key in fitted}
        if one.get("baseline"):  # of an earlier version
            return {BASELINES["kmers"]: [one["baseline"]]}
    return {}


def sizes_of_baselines(sets: Iterable[Row]) -> list[str]:
    """The parameters of the CNN, such as `CNN baseline: 0.07 million`; nothing if there is none."""
    found = [
        run["parameters"]
        for one in sets
        for run in (one.get("baselines") or {}).get("cnn", {}).get("runs", ())
    ]
    return [f"CNN baseline: {max(found) / 1e6:.2f} million"] if found else []
