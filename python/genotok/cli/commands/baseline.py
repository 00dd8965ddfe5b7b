"""`genotok baseline`: baselines of labelled sequences, which need no model."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from genotok.cli.commands.finetune import Tasks, print_results
from genotok.cli.shared.console import print_json
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note, same_command
from genotok.cli.shared.options import ReportOptions
from genotok.options.learning import BaselineOptions, LabelOptions, ModelRunOptions

__all__ = ["EXAMPLES", "baseline"]

EXAMPLES = (
    "genotok baseline my_data/ -o baselines",
    "genotok baseline promoters/ --stranded --aligned -o baselines",
    "genotok baseline GUE/ --task mouse_0 --seeds 1,2,3,4,5 -o baselines",
)


def baseline(
    folders: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDERS...",
            help="Folders with train.csv, dev.csv and test.csv, or GUE's layout.",
            show_default=False,
        ),
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FOLDER", help="The folder of results.")],
    task: Tasks = None,
    *,
    options: BaselineOptions,
    labels: LabelOptions,
    run: ModelRunOptions,
    report: ReportOptions,
) -> None:
    """Fit baselines to labelled sequences: k-mers with regression, a small CNN, and their average."""
    from genotok.cli.shared.progress import watching
    from genotok.gue import find_tasks

    module = from_extra("baseline", "baseline", "train")
    record: dict[str, Any] = {}
    try:
        with watching(report.quiet) as watch:
            run = replace(run, progress=watch, on_status=None if report.quiet else note)
            tasks = find_tasks(folders, task or [], labels)
            record = module.fit_baselines(tasks, output, module.NetworkConfig(), options, run)
    except KeyboardInterrupt:
        note(f"interrupted; finished parts are kept: {same_command('--resume')}")
        raise typer.Exit(130) from None
    if report.as_json:
        print_json(record)
    elif not report.quiet:
        from genotok.run_records.schemas import BaselineRecord

        print_results([], [BaselineRecord.from_json(record)])
        note(f"results and predictions are in {output}")
