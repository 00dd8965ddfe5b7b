"""The plots of a study: two of all genomes, three of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.plots import Axis, Series, dots, lines, stems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genotok.report.tables import Figure
    from genotok.run_records.schemas import StudyRecord

__all__ = ["INPUT_TOKENS", "MAX_GENOMES", "study_figures"]

MAX_GENOMES = 6
"""Curves are drawn for so many genomes; all are in the tables."""

WINDOW = 2_000
"""Bases of the windows whose tokens are drawn."""

INPUT_TOKENS = 510
"""Tokens that a 512-token input holds besides its two special tokens."""


def study_figures(record: StudyRecord) -> list[Figure]:
    """The plots: two of all genomes, three of each."""
    names = [each["name"] for each in record.tokenizers]
    genomes = [each["name"] for each in record.genomes]
    place = {name: float(number) for number, name in enumerate(names)}

    def by_genome(key: str) -> list[Series]:
        rows = [row for row in record.measures if row.get(key) is not None]
        return [
            Series(
                genome,
                [row[key] for row in rows if row["genome"] == genome],
                [place[row["tokenizer"]] for row in rows if row["genome"] == genome],
            )
            for genome in genomes
        ]

    found = [
        dots("Tokens per 1,000 bases", names, by_genome("tokens_per_kb"), Axis("tokens per kb")),
        dots(
            "Mutual information of a token with the next",
            names,
            by_genome("mutual_information"),
            Axis("bits"),
        ),
    ]
    for genome in genomes[:MAX_GENOMES]:
        found += _curves(record, genome)
    return found


def _curves(record: StudyRecord, genome: str) -> list[Figure]:
    """The plots of one genome: Zipf, token length, tokens per window."""

    def of(kind: str, *, scale: float = 1, swap: bool = False) -> list[Series]:
        chosen = [
            curve
            for curve in record.curves
            if (curve["genome"], curve["kind"]) == (genome, kind) and curve.get("window", WINDOW) == WINDOW
        ]
        return [
            _distribution(curve)
            if swap
            else Series(curve["tokenizer"], curve["x"], [scale * y for y in curve["y"]])
            for curve in chosen
        ]

    zipf = lines(
        f"{genome}: frequency of each token",
        of("zipf"),
        Axis("rank of the token", log=True),
        Axis("share of all tokens", log=True),
    )
    length = stems(
        f"{genome}: token lengths",
        of("token length", scale=100),
        Axis("bases"),
        Axis("% of the tokens"),
    )
    windows = lines(
        f"{genome}: tokens per window of {WINDOW:,} bases; an input of 512 tokens ends at the dashes",
        of("tokens per window", swap=True),
        Axis("tokens", log=True),
        Axis("% of windows with at most so many"),
        mark=INPUT_TOKENS,
    )
    return [plot for plot in (zipf, length, windows) if plot.series]


def _distribution(curve: Mapping[str, Any]) -> Series:
    """Tokens of windows against the share of windows; windows that all have as many are one point."""
    tokens, shares = curve["y"], curve["x"]
    if tokens and min(tokens) == max(tokens):
        return Series(curve["tokenizer"], tokens[:1], [max(shares)])
    return Series(curve["tokenizer"], tokens, shares)
