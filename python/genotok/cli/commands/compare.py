"""`genotok compare`: tokenizers in; an encoder pre-trained and fine-tuned on each, and one table, out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genotok.cli.commands.finetune import Tasks
from genotok.cli.commands.study import DEFAULT_KMERS, Kmers, sorted_out
from genotok.cli.shared.console import print_json, standard_output
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note, same_command
from genotok.cli.shared.options import ReportOptions
from genotok.cli.shared.tokenizer_file import load_tokenizer
from genotok.options.declaration import MODEL
from genotok.options.learning import LabelOptions, ModelRunOptions
from genotok.options.pretraining import ComparisonOptions

if TYPE_CHECKING:
    from genotok.run_records.schemas import ComparisonRecord
    from genotok.study import Subject

__all__ = ["EXAMPLES", "compare", "print_comparison"]

EXAMPLES = (
    "genotok compare tokenizer.json genomes/*.fa --gue GUE/ -o compared",
    "genotok compare a.json b.json chr20.fa.gz --gue GUE/ --task mouse_2 --kmers 6 -o compared",
    "genotok compare a.json chr20.fa.gz --gue GUE/ --kmers 5:no-overlap --equal compute -o compared",
    "genotok compare human.json chr20.fa.gz --gue my_data/ --set pretrain.steps=1000 -o compared",
)


def compare(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="[TOKENIZER...] GENOME...",
            help="Files ending in .json are tokenizers (NAME=FILE names one), all others sequence files to "
            "pre-train on.",
            show_default=False,
        ),
    ],
    gue: Annotated[
        list[str],
        typer.Option(
            metavar="FOLDER",
            help="Labelled sets to fine-tune on: train.csv, dev.csv, test.csv, or GUE's layout.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FOLDER", help="The folder of runs and results.")
    ],
    task: Tasks = None,
    kmers: Kmers = DEFAULT_KMERS,
    preset: Annotated[
        str,
        typer.Option(metavar="NAME", help="tiny, small, or a file in .toml.", rich_help_panel=MODEL),
    ] = "tiny",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change one setting, such as window=512, seeds=[1], pretrain.steps=1000 or "
            "finetune.epochs=2; may be given again.",
            show_default="the preset's",
            rich_help_panel=MODEL,
        ),
    ] = None,
    *,
    options: ComparisonOptions,
    labels: LabelOptions,
    run: ModelRunOptions,
    report: ReportOptions,
) -> None:
    """Compare tokenizers as models: the same encoder trained on each, for as many bases or operations."""
    from genotok.cli.shared.progress import watching
    from genotok.gue import find_tasks

    module = from_extra("compare.run", "compare", "train")
    tokenizers, genomes = sorted_out(paths)
    config = from_extra("compare.config", "compare", "train").CompareConfig.preset(preset, changes or [])
    record: dict[str, Any] = {}
    try:
        with watching(report.quiet) as watch:
            tasks = find_tasks(gue, task or [], labels)
            comparison = module.TokenizerComparison(_subjects(tokenizers, kmers), genomes, tasks, config)
            run = replace(run, progress=watch, on_status=None if report.quiet else note)
            record = comparison.run(output, options, run)
    except KeyboardInterrupt:
        note(f"interrupted; what is done is kept: {same_command('--resume')}")
        raise typer.Exit(130) from None
    from genotok.run_records.schemas import ComparisonRecord

    found = ComparisonRecord.from_json(record)
    if report.as_json:
        print_json(record)
    elif not report.quiet:
        print_comparison(found)
        note(f"the record, the table as Markdown, models and predictions are in {output}")


def _subjects(tokenizers: list[str], kmers: str) -> list[Subject]:
    """The tokenizers of files, then k-mers."""
    from genotok.study import Subject, named_kmers
    from genotok.study.subjects import kmer_names, tokenizer_file

    found = [Subject.of(name, load_tokenizer(path)) for name, path in map(tokenizer_file, tokenizers)]
    return found + [named_kmers(name) for name in kmer_names(kmers)]


def print_comparison(record: ComparisonRecord) -> None:
    """The table on a terminal, with an empty row before the sets."""
    from rich.table import Table
    from rich.text import Text

    from genotok.compare.table import (
        comparison_columns,
        comparison_notes,
        comparison_rows,
        comparison_summary,
    )

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for name in comparison_columns(record):
        table.add_column(name, justify="right", overflow="fold")
    in_sets = False
    for row in comparison_rows(record):
        if row.is_set and not in_sets:
            table.add_row()
            in_sets = True
        styles = ("bold" if place in row.best else "" for place in range(len(row.cells)))
        table.add_row(row.name, *map(Text, row.cells, styles))
    console = standard_output()
    console.print(table)
    console.print()
    for text in [comparison_summary(record), *comparison_notes(record)]:
        console.print(text, style="dim")
