"""`genotok encode` as sections: a run is a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.multiqc.columns import MEGA, SYMBOLS, bases, number, percent, whole
from genotok.multiqc.sections import MultiqcSection

if TYPE_CHECKING:
    from genotok.dataset.encode import EncodingReport

__all__ = ["encode_sections"]

GENERAL = {
    "encode_symbols": bases("Encoded", "Symbols of all rows"),
    "encode_rows": whole("Rows", "Rows: records, windows or regions", scale="Blues", hidden=True),
    "encode_tokens": number(
        "Tokens", "Tokens of all rows, in millions", scale="Purples", suffix=" M", decimals=3
    ),
    "encode_bases_per_token": number("Bases per token", "Symbols encoded, divided by tokens", scale="YlGn"),
    "encode_unknown": percent("Unknown", "Share of the symbols outside the vocabulary", scale="OrRd"),
}

KNOWN, OTHER = "in the vocabulary", "other unknown symbols"
COLOURS = {KNOWN: "#1f78b4", "N": "#636363", OTHER: "#e6550d"}


def encode_sections(report: EncodingReport, sample: str) -> list[MultiqcSection]:
    """The general statistics of a run of `genotok encode`, and what became of its symbols."""
    unknown = sum(report["unknown"].values())
    unknown_n = sum(number for kind, number in report["unknown"].items() if kind.upper() == "N")
    general: dict[str, float] = {
        "encode_symbols": report["symbols"] / MEGA,
        "encode_rows": report["rows"],
        "encode_tokens": report["tokens"] / MEGA,
        "encode_unknown": 100 * unknown / max(report["symbols"], 1),
    }
    if report["tokens"]:
        general["encode_bases_per_token"] = report["bases"] / report["tokens"]
    return [
        MultiqcSection(name="general", plot="generalstats", settings=GENERAL, data={sample: general}),
        MultiqcSection(
            name="symbols",
            plot="bargraph",
            title="Encoded symbols",
            description="Symbols that <code>genotok encode</code> read, and how many of them the "
            "vocabulary has.",
            settings=SYMBOLS,
            categories={name: {"name": name, "color": colour} for name, colour in COLOURS.items()},
            data={
                sample: {
                    KNOWN: report["symbols"] - unknown,
                    "N": unknown_n,
                    OTHER: unknown - unknown_n,
                }
            },
        ),
    ]
