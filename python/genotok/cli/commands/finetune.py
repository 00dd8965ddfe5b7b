"""`genotok finetune`: labelled sequences in; results over seeds, predictions and the best model out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from genotok.cli.commands.pretrain import MODEL_PANEL, Device, Settings
from genotok.cli.shared.console import print_json, standard_output
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note, same_command
from genotok.cli.shared.options import (
    MAX_UNKNOWN,
    RUN_PANEL,
    AllowUnknown,
    AsJson,
    LabelColumn,
    ProblemTypeOption,
    Quiet,
    SequenceColumns,
    TorchThreads,
)
from genotok.errors import ArgumentError
from genotok.run_records import FinetuneRecord

if TYPE_CHECKING:
    from genotok.evaluation.results import MeanResult, SetLine

__all__ = ["EXAMPLES", "Tasks", "finetune", "print_results"]

EXAMPLES = (
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
    model: Annotated[
        str,
        typer.Option(
            "--model",
            "-m",
            metavar="FOLDER",
            help="A folder with config.json, model.safetensors and tokenizer.json.",
            rich_help_panel=MODEL_PANEL,
        ),
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FOLDER", help="The folder of results.")],
    task: Tasks = None,
    preset: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="published, tiny, or a file in .toml.", rich_help_panel=MODEL_PANEL
        ),
    ] = "published",
    changes: Settings = None,
    lora: Annotated[
        bool,
        typer.Option("--lora", help="Train LoRA matrices, not all weights.", rich_help_panel=MODEL_PANEL),
    ] = False,
    scratch: Annotated[
        bool,
        typer.Option(
            "--from-scratch",
            help="Start from new weights of the same architecture.",
            rich_help_panel=MODEL_PANEL,
        ),
    ] = False,
    seeds: Annotated[
        str, typer.Option(metavar="LIST", help="A run for each of these numbers.", rich_help_panel=RUN_PANEL)
    ] = "1,2,3",
    baseline: Annotated[
        bool,
        typer.Option(
            "--baseline/--no-baseline",
            help="Also k-mers with logistic or ridge regression.",
            rich_help_panel=RUN_PANEL,
        ),
    ] = True,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the results that are there.", rich_help_panel=RUN_PANEL)
    ] = False,
    problem_type: ProblemTypeOption = None,
    label: LabelColumn = None,
    sequence: SequenceColumns = None,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    device: Device = "auto",
    threads: TorchThreads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fine-tune a model on labelled sequences, and compare it with the baseline and published results."""
    from genotok.cli.shared.progress import watching
    from genotok.gue import find_tasks

    module = from_extra("finetune", "finetune", "train")
    from genotok.training.settings import configured, from_texts
    from genotok.training.settings import preset as of_preset

    layers = [
        of_preset("genotok.finetune", preset),
        from_texts(changes or []),
        {"lora": True} if lora else {},
    ]
    record: dict[str, Any] = {}
    try:
        with watching(quiet) as watch:
            record = module.finetune(
                find_tasks(
                    folders, task or [], problem_type=problem_type, label=label, sequences=sequence or ()
                ),
                model,
                output,
                configured(module.FinetuneConfig, *layers),
                seeds=_seeds(seeds),
                scratch=scratch,
                with_baseline=baseline,
                resume=resume,
                device=device,
                threads=threads,
                allow_unknown=allow_unknown,
                on_status=None if quiet else note,
                progress=watch,
            )
    except KeyboardInterrupt:
        note(f"interrupted; finished seeds are kept: {same_command('--resume')}")
        raise typer.Exit(130) from None
    if as_json:
        print_json(record)
    elif not quiet:
        print_results([FinetuneRecord.from_json(record)])
        note(f"results, predictions and models are in {output}")


def _seeds(text: str) -> list[int]:
    """The seeds in a list such as `1,2,3`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise ArgumentError(f"seeds={text}: whole numbers with commas between them are expected")
    return list(dict.fromkeys(map(int, parts)))


def print_results(records: list[FinetuneRecord]) -> None:
    """The table of results on a terminal."""
    from rich.table import Table

    from genotok.evaluation.results import has_metrics, lines, notes, shown_models, summary

    console = standard_output()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("set", no_wrap=True)
    found = lines(records)
    with_metric = has_metrics(found)
    if with_metric:
        table.add_column("metric")
    table.add_column("k-mers", justify="right")
    for record in records:
        table.add_column(record.title, justify="right")
        table.add_column("95 %", justify="right", style="dim", no_wrap=True)
    models = shown_models(found)
    for name in models:
        table.add_column(name, justify="right", style="dim")
    for line in found:
        name, *cells = _cells(line, models)
        table.add_row(name, *([line.form.title] if with_metric else []), *cells)
    console.print(table)
    console.print()
    for text in [f"{line.name}: {one}" for line in found for one in (*line.others, *line.notes)] + [
        summary(records),
        *notes(records),
    ]:
        if text:
            console.print(text, style="dim")


def _cells(line: SetLine, models: tuple[str, ...]) -> list[str]:
    """The cells of a line."""

    def of(one: MeanResult | None) -> list[str]:
        return [one.text, one.range] if one else ["", ""]

    ours = [cell for one in line.ours for cell in of(one)]
    others = [f"{line.published[model]:.1f}" if model in line.published else "" for model in models]
    return [line.name, line.baseline.text if line.baseline else "", *ours, *others]
