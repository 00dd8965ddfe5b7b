"""`genotok mutagenesis`: the effects of all substitutions of a region."""

from __future__ import annotations

from typing import Annotated

import typer

from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.model_options import MaskedModel, ModelTokenizer, ReferenceFile, RegionText
from genotok.cli.shared.options import OUTPUT_PANEL, ReportOptions
from genotok.cli.shared.variant_summaries import report_region
from genotok.options.variants import MutagenesisOptions, ScoringOptions

__all__ = ["EXAMPLES", "mutagenesis"]

EXAMPLES = (
    "genotok mutagenesis -m model/ -r genome.fa --region chr20:1-2,000 -o effects.parquet",
    "genotok mutagenesis -m model/ -r genome.fa --region chr20:5,000-5,200 --plot map.svg -o effects.tsv",
)


def mutagenesis(
    model: MaskedModel,
    reference: ReferenceFile,
    region: RegionText,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A name in .parquet, .csv, .tsv or .jsonl (text also .gz), or -.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ],
    tokenizer: ModelTokenizer = None,
    *,
    computing: ScoringOptions,
    written: MutagenesisOptions,
    report: ReportOptions,
) -> None:
    """Score all substitutions of a region with a masked language model: a table, a heat map, a track."""
    package = from_extra("variants", "mutagenesis", "model")
    scorer = package.VariantScorer(model, tokenizer, computing)
    report_region(
        report, lambda watch: package.mutagenesis(scorer, reference, region, output, written, watch)
    )
