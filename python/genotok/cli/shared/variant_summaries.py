"""What was scored, as a table for people and as JSON for programs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_facts, print_json, report_console
from genotok.cli.shared.figures import count
from genotok.cli.shared.messages import note

if TYPE_CHECKING:
    from collections.abc import Callable

    from genotok.cli.shared.options import ReportOptions
    from genotok.options import Progress
    from genotok.variants import RegionReport, ScoreReport

__all__ = ["print_scores", "report_region", "scores_as_json"]


def scores_as_json(report: ScoreReport) -> dict[str, object]:
    """The report and its rates: variants per second, and rows through the model per variant."""
    computed = report["scored"] - report["resumed"]
    return {
        **report,
        "variants_per_second": computed / report["seconds"] if computed and report["seconds"] else None,
        "passes_per_variant": report["passes"] / computed if computed else None,
    }


def print_scores(report: ScoreReport) -> None:
    """What was read, scored and skipped, and what it took."""
    from rich.text import Text

    from genotok.variants.vcf import SKIPPED

    console = report_console(report["output"])
    scored = (count(report["scored"], "variant"), "bold")
    title = Text.assemble("scored ", scored, f" of {report['variants']:,}")
    skipped = sum(report["skipped"].values())
    reasons = "; ".join(f"{number:,} {SKIPPED[name]}" for name, number in report["skipped"].items())
    rates = scores_as_json(report)
    per_second, per_variant = rates["variants_per_second"], rates["passes_per_variant"]
    place = "standard output" if report["output"] == "-" else report["output"]
    facts = [
        ("input", count(report["records"], "record")),
        ("skipped", f"{skipped:,}: {reasons}" if skipped else ""),
        ("resumed", f"{report['resumed']:,} were scored before" if report["resumed"] else ""),
        ("passes", f"{per_variant:.2f} per variant" if isinstance(per_variant, float) else ""),
        (
            "time",
            f"{figures.duration(report['seconds'])}, {per_second:,.1f} variants/s"
            if isinstance(per_second, float)
            else "",
        ),
        ("output", f"{place}, {figures.memory(report['bytes'])}"),
    ]
    print_facts(console, title, facts)


def report_region(report: ReportOptions, compute: Callable[[Progress], RegionReport]) -> None:
    """Compute a region with progress, and print what came of it, or that it was interrupted."""
    from genotok.cli.shared.progress import watching

    found: RegionReport | None = None
    with watching(report.quiet) as watch, suppress(KeyboardInterrupt):
        found = compute(watch)
    if found is None:
        note("interrupted; nothing was written")
        raise typer.Exit(130)
    if report.as_json:
        print_json(found, found["output"])
    elif not report.quiet:
        _print_region(found)


def _print_region(report: RegionReport) -> None:
    """What was computed of a region, and what it took."""
    place = "standard output" if report["output"] == "-" else report["output"]
    seconds = report["seconds"]
    variants = report["variants"]
    rate = f", {variants / seconds:,.1f} variants/s" if variants and seconds else ""
    facts = [
        ("variants", f"{variants:,}" if variants else ""),
        ("passes", f"{report['passes']:,}"),
        ("time", f"{figures.duration(seconds)}{rate}"),
        ("output", place),
    ]
    title = f"{report['region']}, {count(report['bases'], 'base')}"
    print_facts(report_console(report["output"]), title, facts)
