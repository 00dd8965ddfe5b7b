"""`genotok check` as sections: a sample is a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from genotok.multiqc.columns import MEGA, SYMBOLS, bases, percent, whole
from genotok.multiqc.sections import MultiqcSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from genotok.corpus.check import FileReport

__all__ = ["check_sections", "sample_names"]

GENERAL = {
    "check_symbols": bases("Symbols", "Symbols in the file"),
    "check_records": whole("Records", "Records in the file", scale=False),
    "check_n50": bases("N50", "Half of all symbols are in records of this length or more", hidden=True),
    "check_gc": percent("G+C", "Share of G and C among A, C, G and T", scale="PuRd"),
    "check_n": percent("N", "Share of the symbols that are N", scale="OrRd"),
    "check_errors": whole("Errors", "Defects for which genotok refuses the file", scale="Reds"),
    "check_warnings": whole("Warnings", "Defects that genotok reads over", scale="Oranges"),
}

KINDS = {
    "A": {"name": "A", "color": "#33a02c"},
    "C": {"name": "C", "color": "#1f78b4"},
    "G": {"name": "G", "color": "#ffb000"},
    "T": {"name": "T", "color": "#d7191c"},
    "uracil": {"name": "U", "color": "#f4a6a6"},
    "N": {"name": "N", "color": "#636363"},
    "ambiguity codes": {"name": "other IUPAC codes", "color": "#984ea3"},
    "gaps": {"name": "gaps", "color": "#bdbdbd"},
    "amino acids": {"name": "residues of proteins", "color": "#a65628"},
}


def check_sections(reports: Sequence[FileReport]) -> list[MultiqcSection]:
    """The general statistics of files, and their symbols by kind."""
    names = sample_names(report["file"] for report in reports)
    by_name = {names[report["file"]]: report for report in reports}
    return [
        MultiqcSection(
            name="general",
            plot="generalstats",
            settings=GENERAL,
            data={name: _general(report) for name, report in by_name.items()},
        ),
        MultiqcSection(
            name="symbols",
            plot="bargraph",
            title="Symbols of sequence files",
            description="The symbols that <code>genotok check</code> found in each file, by kind. "
            "Upper and lower case are counted together.",
            settings=SYMBOLS,
            categories=KINDS,
            data={
                name: {kind: report["symbols"].get(kind, 0) for kind in KINDS}
                for name, report in by_name.items()
            },
        ),
    ]


def sample_names(files: Iterable[str]) -> Mapping[str, str]:
    """The sample of each file: its name without endings, with its folders if two would be equal."""
    paths = list(files)
    short = {path: _without_endings(os.path.basename(path)) for path in paths}
    names = list(short.values())
    return {
        path: name if names.count(name) == 1 else " | ".join([*path.strip("/").split("/")[:-1], name])
        for path, name in short.items()
    }


def _without_endings(name: str) -> str:
    """`yeast` of `yeast.fa.gz`."""
    for endings in ((".gz", ".bgz", ".xz", ".zst"), (".fa", ".fasta", ".fna", ".ffn", ".fq", ".fastq")):
        stem, ending = os.path.splitext(name)
        name = stem if ending.lower() in endings and stem else name
    return name


def _general(report: FileReport) -> dict[str, float]:
    """The columns of a file; a share of nothing is left out."""
    symbols, total = report["symbols"], report["symbols"]["total"]
    found: dict[str, float] = {
        "check_symbols": total / MEGA,
        "check_records": report["records"],
        "check_n50": report["lengths"]["n50"] / MEGA,
        "check_errors": report["errors"],
        "check_warnings": report["warnings"],
    }
    if report["gc"] is not None:
        found["check_gc"] = 100 * report["gc"]
    if total:
        found["check_n"] = 100 * symbols["N"] / total
    return found
