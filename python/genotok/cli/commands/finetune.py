"""`genotok finetune`: labelled sequences in; results over seeds, predictions and the best model out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genotok.cli.commands.pretrain import Settings
from genotok.cli.shared.console import print_json, standard_output
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note, same_command
from genotok.cli.shared.options import ReportOptions
from genotok.options.declaration import MODEL
from genotok.options.learning import FinetuneOptions, LabelOptions, ModelRunOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genotok.evaluation.results import MeanResult, SetLine
    from genotok.run_records.schemas import BaselineRecord, FinetuneRecord

__all__ = ["EXAMPLES", "Tasks", "finetune", "print_results"]

EXAMPLES = (
    "genotok finetune my_data/ -o results",
    "genotok finetune my_data/ --model model -o results",
    "genotok finetune my_data/ --problem-type regression --label expression --model model -o results",
    "genotok finetune GUE/ --task mouse_0 --task prom_core_tata --model dnabert2/ -o results",
    "genotok finetune GUE/ --model model --preset tiny --seeds 1,2,3,4,5 -o results",
)

Tasks = Annotated[
    list[str] | None,
    typer.Option(
        "--task", metavar="NAME", help="Only this set of GUE; may be given again.", show_default="all"
    ),
]


def finetune(
    folders: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDERS...",
            help="Folders with train.csv, dev.csv and test.csv, or GUE's layout.",
            show_default=False,
        ),
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FOLDER", help="The folder of results.")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="FOLDER",
            help="A folder with config.json, model.safetensors and tokenizer.json.",
            show_default="a new small encoder, trained on FOLDERS alone",
            rich_help_panel=MODEL,
        ),
    ] = None,
    task: Tasks = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="published, bases, tiny, or a file in .toml.",
            show_default="published; without a model bases",
            rich_help_panel=MODEL,
        ),
    ] = None,
    changes: Settings = None,
    lora: Annotated[
        bool,
        typer.Option("--lora", help="Train LoRA matrices, not all weights.", rich_help_panel=MODEL),
    ] = False,
    *,
    options: FinetuneOptions,
    labels: LabelOptions,
    run: ModelRunOptions,
    report: ReportOptions,
) -> None:
    """Fine-tune a model on labelled sequences, and compare it with baselines and published results."""
    from genotok.cli.shared.progress import watching
    from genotok.gue import find_tasks

    module = from_extra("finetune", "finetune", "train")
    from genotok.training.settings import configured, from_texts
    from genotok.training.settings import preset as of_preset

    layers = [
        of_preset("genotok.finetune", preset or ("bases" if model is None else "published")),
        from_texts(changes or []),
        {"lora": True} if lora else {},
    ]
    record: dict[str, Any] = {}
    try:
        with watching(report.quiet) as watch:
            run = replace(run, progress=watch, on_status=None if report.quiet else note)
            tasks, config = (
                find_tasks(folders, task or [], labels),
                configured(module.FinetuneConfig, *layers),
            )
            record = module.finetune_model(tasks, model, output, config, options, run)
    except KeyboardInterrupt:
        note(f"interrupted; finished seeds are kept: {same_command('--resume')}")
        raise typer.Exit(130) from None
    if report.as_json:
        print_json(record)
    elif not report.quiet:
        from genotok.run_records.schemas import FinetuneRecord

        print_results([FinetuneRecord.from_json(record)])
        note(f"results, predictions and models are in {output}")


def print_results(records: list[FinetuneRecord], baselines: Sequence[BaselineRecord] = ()) -> None:
    """The table of results on a terminal."""
    from rich.table import Table

    from genotok.evaluation.results import (
        has_metrics,
        lines,
        notes,
        shown_baselines,
        shown_models,
        summary,
        with_clean,
    )

    console = standard_output()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("set", no_wrap=True)
    found = lines(records, baselines)
    with_metric = has_metrics(found)
    if with_metric:
        table.add_column("metric")
    fitted = shown_baselines(found)
    for name in fitted:
        table.add_column(name.removesuffix("d baseline").removesuffix(" baseline"), justify="right")
        if not records:
            table.add_column("95 %", justify="right", style="dim", no_wrap=True)
    for record in records:
        table.add_column(record.title, justify="right")
        table.add_column("95 %", justify="right", style="dim", no_wrap=True)
    models = shown_models(found)
    for name in models:
        table.add_column(name, justify="right", style="dim")
    for line in with_clean(found):
        name, *cells = _cells(line, models, fitted)
        table.add_row(name, *([line.form.title] if with_metric else []), *cells)
    console.print(table)
    console.print()
    for text in [f"{line.name}: {one}" for line in found for one in (*line.others, *line.notes)] + [
        summary(records),
        *notes(records, baselines),
    ]:
        if text:
            console.print(text, style="dim")


def _cells(line: SetLine, models: tuple[str, ...], baselines: tuple[str, ...]) -> list[str]:
    """The cells of a line."""

    def of(one: MeanResult | None) -> list[str]:
        return [one.text, one.range] if one else ["", ""]

    ours = [cell for one in line.ours for cell in of(one)]
    others = [f"{line.published[model]:.1f}" if model in line.published else "" for model in models]
    floors = [of(line.baselines.get(name))[: 1 if line.ours else 2] for name in baselines]
    return [line.name, *(cell for cells in floors for cell in cells), *ours, *others]
