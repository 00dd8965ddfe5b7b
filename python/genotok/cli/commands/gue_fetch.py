"""`genotok gue fetch`: the official archive, checked and laid out."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.shared.console import print_json, standard_output
from genotok.cli.shared.messages import note
from genotok.cli.shared.options import Force, ReportOptions

if TYPE_CHECKING:
    from genotok.gue import FetchReport

__all__ = ["fetch_sets"]

STATES = {
    "verified": "digest as known",
    "rows": "rows as published, digest not known",
    "unknown": "nothing known to compare with",
    "differs": "NOT the known file; not written",
    "missing": "missing",
}
NUM_SPLITS = 3
"""Files of a whole set."""


def fetch_sets(
    source: Annotated[
        str,
        typer.Argument(
            metavar="ARCHIVE",
            help="The archive of GUE, zip or tar: its path, or its http or https address.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Where the folders of the sets go.", show_default=False
        ),
    ],
    force: Force = False,
    *,
    report: ReportOptions,
) -> None:
    """Check the archive of GUE against known digests, lay out its folders, and say what is missing."""
    from genotok.gue import fetch

    found = fetch(source, output, force=force, on_status=None if report.quiet or report.as_json else note)
    if report.as_json:
        print_json(dataclasses.asdict(found))
    elif not report.quiet:
        _print(found)
    if found.of_state("differs"):
        raise typer.Exit(1)


def _print(found: FetchReport) -> None:
    """A line for each set, and one for all that are missing as a whole."""
    console = standard_output()
    for state, words in STATES.items():
        of_state = found.of_state(state)  # type: ignore[arg-type]
        if not of_state:
            continue
        console.print(f"{words}: {_counted(len(of_state), 'file')}", style="bold")
        whole = []
        for name, group in groupby(of_state, key=lambda one: one.name):
            splits = [one.split for one in group]
            if state == "missing" and len(splits) == NUM_SPLITS:
                whole.append(name)
            else:
                console.print(f"  {name}: {', '.join(splits)}")
        if whole:
            console.print(f"  {_counted(len(whole), 'whole set')}: {', '.join(whole)}")
    if found.ignored:
        console.print(f"ignored: {_counted(found.ignored, 'other member')} of the archive", style="dim")
    console.print(f"next: genotok gue audit {found.folder}", style="dim", soft_wrap=True)


def _counted(number: int, what: str) -> str:
    """Such as `1 file` or `2 files`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
