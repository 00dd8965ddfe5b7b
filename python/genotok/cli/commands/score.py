"""`genotok score`: the effects of variants under a masked language model."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note
from genotok.cli.shared.model_options import MaskedModel, ModelTokenizer, ReferenceFile
from genotok.cli.shared.options import OUTPUT_PANEL, ReportOptions
from genotok.cli.shared.variant_summaries import print_scores, scores_as_json
from genotok.options.variants import ScoreFileOptions, ScoringOptions

if TYPE_CHECKING:
    from genotok.variants import ScoreReport

__all__ = ["EXAMPLES", "score"]

EXAMPLES = (
    "genotok score --model model/ --reference hg38.fa.gz variants.vcf.gz -o scored.vcf.gz",
    "genotok score -m model/ -r genome.fa chr1:1234:A>G chr1:1300:CTT>C -o scored.tsv",
    "genotok score -m model/ -r genome.fa --scores pll,marginal,embedding calls.vcf -o scores.parquet",
)


def score(
    variants: Annotated[
        list[str],
        typer.Argument(
            metavar="VARIANTS...",
            help="A VCF, plain or compressed, or - for standard input; or texts such as 'chr20:1234:A>G'.",
            show_default=False,
        ),
    ],
    model: MaskedModel,
    reference: ReferenceFile,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A name in .vcf, .vcf.gz, .parquet, .csv, .tsv or .jsonl (text also .gz), or -.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ],
    tokenizer: ModelTokenizer = None,
    *,
    computing: ScoringOptions,
    files: ScoreFileOptions,
    report: ReportOptions,
) -> None:
    """Score variants with a masked language model: substitutions, insertions and deletions of a VCF."""
    from genotok.cli.shared.progress import watching

    from_variants = from_extra("variants", "score", "model")
    scorer = from_variants.VariantScorer(model, tokenizer, computing)
    found: ScoreReport | None = None
    with watching(report.quiet) as watch, suppress(KeyboardInterrupt):
        found = from_variants.score_files(scorer, variants, reference, output, files, watch)
    if found is None:
        note("interrupted; --resume continues where it stopped, unless the output is a stream")
        raise typer.Exit(130)
    if report.as_json:
        print_json(scores_as_json(found), found["output"])
    elif not report.quiet:
        print_scores(found)
