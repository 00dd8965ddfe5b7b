"""`genotok report`: records as one page of HTML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from genotok.cli import figures, outputs
from genotok.cli.extras import from_extra
from genotok.cli.options import AsJson, Quiet
from genotok.cli.tokenizer_file import load_tokenizer
from genotok.errors import ArgumentError

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
        typer.Option("--output", "-o", metavar="FILE", help="The page; written whole or not at all."),
    ] = "report.html",
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
    outputs.check_page(output)
    if (sequence is None) != (not tokenizer):
        raise ArgumentError("--sequence and -t belong together: give a sequence and at least one tokenizer")
    module = from_extra("report", "report", "report")
    from genotok.dataset.whole import write_whole
    from genotok.report.page import KINDS

    found = module.read_records(records)
    view = None if sequence is None else _view(sequence, tokenizer or [])
    content = module.page(found, view=view, title=title).encode()
    write_whole(output, content)
    shown = sum(each.kind in KINDS for each in found)
    if as_json:
        left = [each.name for each in found if each.kind not in KINDS]
        print(json.dumps({"output": output, "bytes": len(content), "shown": shown, "not_shown": left}))
    elif not quiet:
        rest = f", {len(found) - shown:,} of unknown kinds named" if len(found) > shown else ""
        print(f"{output}: {figures.count(shown, 'record')}{rest}, {figures.memory(len(content))}")


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
