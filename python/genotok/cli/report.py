"""`genotok report`: records as one page of HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli import figures
from genotok.cli.console import print_json, say
from genotok.cli.extras import from_extra
from genotok.cli.options import AsJson, Force, Quiet
from genotok.cli.tokenizer_file import load_tokenizer
from genotok.errors import ArgumentError
from genotok.files.kinds import PAGE
from genotok.files.outputs import Existing, output_file

if TYPE_CHECKING:
    from genotok.report import TokenView

__all__ = ["report"]


def report(
    records: Annotated[
        list[str],
        typer.Argument(
            metavar="RECORDS...",
            help="Records of genotok study, of the benchmarks or of pytest-benchmark, or folders of them.",
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
            metavar="LETTERS", help="A sequence to show token by token under each -t.", show_default=False
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
        str, typer.Option(metavar="TEXT", help="The title of the page.")
    ] = "Tokenizers on evidence",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make one page of records: tables that sort, plots, and what is unfair; it loads nothing."""
    if (sequence is None) != (not tokenizer):
        raise ArgumentError("--sequence and -t belong together: give a sequence and at least one tokenizer")
    module = from_extra("report", "report", "report")
    from genotok.report.page import KINDS

    inputs = [*records, *(given.rpartition("=")[2] for given in tokenizer or [])]
    with output_file(output, PAGE, inputs=inputs, existing=Existing.COMPARE, force=force) as target:
        found = module.read_records(records)
        view = None if sequence is None else _view(sequence, tokenizer or [])
        content = module.page(found, view=view, title=title).encode()
        target.write(content)
    shown = sum(each.kind in KINDS for each in found)
    if as_json:
        left = [each.name for each in found if each.kind not in KINDS]
        facts = {"output": target.path, "bytes": len(content), "shown": shown, "not_shown": left}
        print_json(facts, target)
    elif not quiet:
        rest = f", {len(found) - shown:,} of unknown kinds named" if len(found) > shown else ""
        size = figures.memory(len(content))
        say(f"{target.described}: {figures.count(shown, 'record')}{rest}, {size}", target)


def _view(sequence: str, tokenizers: list[str]) -> TokenView:
    """The sequence under every tokenizer."""
    from genotok.report import token_view
    from genotok.study import Subject, named_kmers
    from genotok.study.subjects import tokenizer_file

    subjects: list[Subject] = []
    for given in tokenizers:
        if given == "bases" or given.startswith("kmer:"):
            subjects.append(named_kmers(given))
        else:
            name, path = tokenizer_file(given)
            subjects.append(Subject.of(name, load_tokenizer(path)))
    return token_view(sequence, subjects)
