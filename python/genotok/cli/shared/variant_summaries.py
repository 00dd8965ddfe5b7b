"""What was scored, as a table for people and as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_facts, report_console
from genotok.cli.shared.figures import count

if TYPE_CHECKING:
    from genotok.variants import RegionReport, ScoreReport

__all__ = ["print_region", "print_scores", "scores_as_json"]


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


def print_region(report: RegionReport) -> None:
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
