"""`genotok mutagenesis`: the effects of all substitutions of a region."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.commands.score import MaskedModel, ModelTokenizer, ReferenceFile
from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note
from genotok.cli.shared.options import OUTPUT_PANEL, ReportOptions
from genotok.cli.shared.variant_summaries import print_region
from genotok.options.declaration import ROWS
from genotok.options.variants import MutagenesisOptions, ScoringOptions

if TYPE_CHECKING:
    from genotok.variants import RegionReport

__all__ = ["EXAMPLES", "RegionText", "mutagenesis"]

EXAMPLES = (
    "genotok mutagenesis -m model/ -r genome.fa --region chr20:1-2,000 -o effects.parquet",
    "genotok mutagenesis -m model/ -r genome.fa --region chr20:5,000-5,200 --plot map.svg -o effects.tsv",
)

RegionText = Annotated[
    str,
    typer.Option(
        "--region",
        metavar="REGION",
        help="A contig or a part of one, from 1, both ends included: chr20:1-2,000.",
        rich_help_panel=ROWS,
    ),
]


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
    from genotok.cli.shared.progress import watching

    package = from_extra("variants", "mutagenesis", "model")
    scorer = package.VariantScorer(model, tokenizer, computing)
    found: RegionReport | None = None
    with watching(report.quiet) as watch, suppress(KeyboardInterrupt):
        found = package.mutagenesis(scorer, reference, region, output, written, watch)
    if found is None:
        note("interrupted; nothing was written")
        raise typer.Exit(130)
    if report.as_json:
        print_json(found, found["output"])
    elif not report.quiet:
        print_region(found)
