"""`genotok report`: records as one page of HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli.shared import figures
from genotok.cli.shared.console import print_json, say
from genotok.cli.shared.extras import from_extra
from genotok.cli.shared.messages import note
from genotok.cli.shared.options import AsJson, Force, Quiet
from genotok.cli.shared.tokenizer_file import load_tokenizer
from genotok.errors import ArgumentError
from genotok.files.kinds import REPORT_PAGE
from genotok.files.outputs import Existing, output_file

if TYPE_CHECKING:
    from genotok.report import TokenView

__all__ = ["EXAMPLES", "report"]

EXAMPLES = (
    "genotok report model results -o report.html",
    "genotok report records/ -o report.html",
    "genotok report records/ -t tokenizer.json -t kmer:6 --sequence GATTACAGATTACA -o report.html",
)

MAX_NOTES = 10
"""Maximum number of files that are named on the terminal as not shown; the page names all."""


def report(
    records: Annotated[
        list[str],
        typer.Argument(
            metavar="PATHS...",
            help="Folders of genotok pretrain, finetune or compare, records of genotok study or of "
            "benchmarks, or folders of any of these.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The page, or - for standard output.",
        ),
    ] = "report.html",
    force: Force = False,
    sequence: Annotated[
        str | None,
        typer.Option(
            metavar="BASES", help="A sequence to show token by token under each -t.", show_default=False
        ),
    ] = None,
    tokenizer: Annotated[
        list[str] | None,
        typer.Option(
            "--tokenizer",
            "-t",
            metavar="FILE",
            help="A tokenizer.json, NAME=FILE, or k-mers by name such as kmer:6; again for more.",
            show_default=False,
        ),
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The title of the page.", show_default="what the page shows"),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make one self-contained page of runs and records: a summary, plots, tables that sort, and caveats."""
    if (sequence is None) != (not tokenizer):
        raise ArgumentError("--sequence and -t belong together: give a sequence and at least one tokenizer")
    module = from_extra("report", "report", "report")
    inputs = [*records, *(given.rpartition("=")[2] for given in tokenizer or [])]
    with output_file(output, REPORT_PAGE, inputs=inputs, existing=Existing.COMPARE, force=force) as target:
        found = module.read_records(records)
        view = None if sequence is None else _view(sequence, tokenizer or [])
        made = module.make_page(found, view=view, title=title)
        content = made.html.encode()
        target.write(content)
    for name, reason in made.left_out[:MAX_NOTES]:
        note(f"{name}: not shown: {reason}")
    if (more := len(made.left_out) - MAX_NOTES) > 0:
        note(f"{figures.count(more, 'more file')} not shown; the page names them")
    if as_json:
        left = [name for name, _ in made.left_out]
        facts = {"output": target.path, "bytes": len(content), "shown": made.shown, "not_shown": left}
        print_json(facts, target)
    elif not quiet:
        rest = f", {len(made.left_out):,} not shown" if made.left_out else ""
        size = figures.memory(len(content))
        say(f"{target.described}: {figures.count(made.shown, 'record')}{rest}, {size}", target)


def _view(sequence: str, tokenizers: list[str]) -> TokenView:
    """The sequence under every tokenizer."""
    from genotok.report import token_view
    from genotok.study import Subject, named_kmers
    from genotok.study.subjects import is_kmer_name, tokenizer_file

    subjects: list[Subject] = []
    for given in tokenizers:
        if is_kmer_name(given):
            subjects.append(named_kmers(given))
        else:
            name, path = tokenizer_file(given)
            subjects.append(Subject.of(name, load_tokenizer(path)))
    return token_view(sequence, subjects)
