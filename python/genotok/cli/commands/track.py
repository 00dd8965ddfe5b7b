"""`genotok track`: numbers for each base of a region, from a model."""

from __future__ import annotations

from typing import Annotated

import typer

from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.model_options import ReferenceFile, RegionText
from genotok.cli.shared.options import OUTPUT_PANEL, ReportOptions
from genotok.cli.shared.variant_summaries import report_region
from genotok.options.declaration import MODEL
from genotok.options.variants import TrackOptions

__all__ = ["EXAMPLES", "track"]

EXAMPLES = (
    "genotok track -m model/ -r genome.fa --region chr20:1-20,000 -o entropy.bedgraph",
    "genotok track -m results/set/model -r genome.fa --region chr20:1-2,000 --show attribution -o shares.tsv",
)


def track(
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="FOLDER",
            help="A masked language model, or for attribution a model that finetune made.",
            rich_help_panel=MODEL,
        ),
    ],
    reference: ReferenceFile,
    region: RegionText,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A name in .bedgraph, .bw, .parquet, .csv, .tsv or .jsonl (text also .gz), or -.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ],
    *,
    computing: TrackOptions,
    report: ReportOptions,
) -> None:
    """Write a model's numbers for each base of a region: entropy, probabilities, or attribution."""
    package = from_extra("variants", "track", "model")
    report_region(report, lambda watch: package.track(model, reference, region, output, computing, watch))
