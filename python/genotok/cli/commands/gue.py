"""`genotok gue`: the 36 sets of GUE, and audits of data sets."""

from __future__ import annotations

import dataclasses
from itertools import groupby

import typer

from genotok.cli.commands.gue_audit import audit_sets
from genotok.cli.commands.gue_fetch import fetch_sets
from genotok.cli.commands.gue_split import split_set
from genotok.cli.shared.console import print_json, standard_output
from genotok.cli.shared.help_pages import CommandPage, GroupPage, examples
from genotok.cli.shared.option_groups import expanded
from genotok.cli.shared.options import AsJson

__all__ = ["gue"]

gue = typer.Typer(
    cls=GroupPage, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]}
)


@gue.callback()
def group() -> None:
    """The Genome Understanding Evaluation: its sets, and audits of their files."""


@gue.command("list", cls=CommandPage, epilog=examples("genotok gue list", "genotok gue list --json"))
def list_sets(as_json: AsJson = False) -> None:
    """List all 36 sets: task, classes, lengths, rows, metric and the paper's results."""
    from genotok.gue import DIAMOND, PAPER, gue_sets, published

    results = published()
    if as_json:
        print_json([{**dataclasses.asdict(one), "published": results.get(one.name)} for one in gue_sets()])
        return
    console = standard_output()
    console.print(
        _columns("set", "classes", "bases", "train", "dev", "test", "", PAPER, "diamond"), style="bold"
    )
    for name, sets in groupby(gue_sets(), key=lambda one: one.task):
        console.print(name, style="dim")
        for one in sets:
            found = results.get(one.name, {})
            numbers = (_number(number) for number in (one.classes, one.bases, *one.rows))
            measured = (f"{found[model]:.2f}" if model in found else "" for model in (PAPER, DIAMOND))
            metric = "MCC" if one.metric == "mcc" else "F1"
            console.print(_columns(one.name, *numbers, metric, *measured), soft_wrap=True)
    print("\nfolders of the official layout, settings and notes: genotok gue list --json")


gue.command(
    "audit",
    cls=CommandPage,
    epilog=examples(
        "genotok gue audit GUE/",
        "genotok gue audit GUE/ -o audit.json && genotok report audit.json -o audit.html",
        "genotok gue audit GUE/ --task mouse_0 -t tokenizer.json",
        "genotok gue audit my_data/ -t tokenizer.json --max-tokens 128 --json",
    ),
)(expanded(audit_sets))


gue.command(
    "split",
    cls=CommandPage,
    epilog=examples(
        "genotok gue split GUE/EMP/H3 -o H3_disjoint",
        "genotok gue split my_data/ -o my_data_disjoint --seed 2 --json",
    ),
)(expanded(split_set))


gue.command(
    "fetch",
    cls=CommandPage,
    epilog=examples("genotok gue fetch GUE.zip -o GUE", "genotok gue fetch GUE.zip -o GUE --json"),
)(expanded(fetch_sets))


def _columns(*cells: str) -> str:
    """A line of the list, within 80 characters."""
    widths = (-21, 8, 7, 8, 7, 7, 4, 10, 8)
    return "".join(
        f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}"
        for cell, width in zip(cells, widths, strict=True)
    )


def _number(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"
