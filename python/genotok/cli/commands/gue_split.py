"""`genotok gue split`: splits without common loci."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from genotok.cli.shared.console import print_json, standard_output
from genotok.cli.shared.messages import note
from genotok.cli.shared.options import MAX_UNKNOWN, AllowUnknown, Force, ReportOptions, Threads
from genotok.errors import ArgumentError
from genotok.options.learning import LabelOptions
from genotok.options.loci import LocusOptions

__all__ = ["split_set"]


def split_set(
    folder: Annotated[
        str,
        typer.Argument(
            metavar="FOLDER", help="A folder with train.csv, dev.csv and test.csv.", show_default=False
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FOLDER", help="The new splits.", show_default=False)
    ],
    force: Force = False,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Decides which clusters move.")] = 1,
    *,
    loci: LocusOptions,
    labels: LabelOptions,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    threads: Threads = None,
    report: ReportOptions,
) -> None:
    """Divide a set anew so that no locus is in two splits; sizes and class shares are kept."""
    from genotok.corpus.verdict import BASES
    from genotok.gue import divide, find_tasks, write_split

    tasks = find_tasks([folder], (), labels)
    if len(tasks) != 1:
        raise ArgumentError(f"{folder}: holds {len(tasks)} sets; name the folder of one")
    if Path(output).resolve() == Path(folder).resolve():
        raise ArgumentError(f"{output}: is the folder that is read; choose another output")
    start = time.perf_counter()
    splits, classes = tasks[0].read(BASES, allow_unknown)
    found = divide(splits, classes, seed=seed, options=loci, threads=threads)
    manifest = write_split(found, output, force=force)
    if report.as_json:
        print_json(manifest)
    elif not report.quiet:
        _print(manifest)
        seconds = time.perf_counter() - start
        note(f"{output}: written in {seconds:.1f} s; {found.clean:,} test rows were clean before")


def _print(manifest: dict[str, Any]) -> None:
    """Sizes and shares before and after, and where rows went."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    splits = manifest["splits"]
    for name in splits:
        table.add_column(name, justify="right")
    table.add_row("rows before", *(f"{one['rows_before']:,}" for one in splits.values()))
    table.add_row("rows", *(f"{one['rows']:,}" for one in splits.values()))
    labels = list(dict.fromkeys(label for one in splits.values() for label in one["labels_before"]))
    for label in labels[:12]:
        for title, count, total in (("before", "labels_before", "rows_before"), ("", "labels", "rows")):
            shares = (one[count].get(label, 0) / one[total] for one in splits.values())
            table.add_row(f"label {label} {title}".strip(), *(f"{share:.1%}" for share in shares))
    for origin, targets in manifest["moved"].items():
        kept = [f"{number:,}" for number in targets.values()]
        table.add_row(f"rows from {origin}", *kept)
    standard_output().print(table)
