"""`genotok gue`: the 36 sets of GUE, and audits of data sets."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genotok.cli.shared.console import print_json, standard_output
from genotok.cli.shared.help_pages import CommandPage, GroupPage, examples
from genotok.cli.shared.messages import note, note_unknown
from genotok.cli.shared.option_groups import expanded
from genotok.cli.shared.options import MAX_UNKNOWN, AllowUnknown, AsJson, ReportOptions
from genotok.cli.shared.tokenizer_file import load_tokenizer
from genotok.options.learning import LabelOptions

if TYPE_CHECKING:
    from genotok.gue import Audit, GueSet, Overlap, SplitAudit

__all__ = ["gue"]

MAX_SHOWN = 12
"""Maximum number of classes that an audit prints."""

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


def audit_sets(
    folders: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDERS...",
            help="GUE's layout, or a folder with train.csv, dev.csv and test.csv.",
            show_default=False,
        ),
    ],
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task", metavar="NAME", help="Only this set of GUE; may be given again.", show_default="all"
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer", "-t", metavar="FILE", help="Also report token lengths.", show_default="none"
        ),
    ] = None,
    max_tokens: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Report how many sequences have more tokens; may be given again.",
            show_default="the paper's",
        ),
    ] = None,
    *,
    labels: LabelOptions,
    allow_unknown: AllowUnknown = MAX_UNKNOWN,
    report: ReportOptions,
) -> None:
    """Find duplicates within and across splits, and report balance and lengths."""
    from genotok.corpus.verdict import BASES, known_symbols
    from genotok.gue import audit, find_tasks

    loaded = load_tokenizer(tokenizer) if tokenizer else None
    known = known_symbols(loaded, uppercase=True) if loaded else BASES
    found: dict[str, Any] = {}
    for one in find_tasks(folders, task or [], labels):
        if not report.quiet:
            note(f"auditing {one.name}")
        splits, classes = one.read(known, allow_unknown)
        for split in splits.values() if not report.quiet else ():
            note_unknown(split.symbols, split.unknown, of=split.path)
            if split.note:
                note(f"{split.path}: {split.note}")
        limits = max_tokens or ([one.known.settings.max_tokens] if one.known and one.known.settings else [])
        result = audit(
            splits, classes, count_tokens=loaded.count_tokens if loaded else None, max_tokens=limits
        )
        found[one.name] = dataclasses.asdict(result)
        if not report.as_json and not report.quiet:
            _print(one.name, one.known, result)
    if report.as_json:
        print_json(found)


gue.command(
    "audit",
    cls=CommandPage,
    epilog=examples(
        "genotok gue audit GUE/",
        "genotok gue audit GUE/ --task mouse_0 -t tokenizer.json",
        "genotok gue audit my_data/ -t tokenizer.json --max-tokens 128 --json",
    ),
)(expanded(audit_sets))


def _print(name: str, known: GueSet | None, result: Audit) -> None:
    """The table of one set."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", title=name, title_justify="left")
    table.add_column("")
    for split in result.splits:
        table.add_column(split, justify="right")
    for label, cells in _facts(result):
        table.add_row(label, *cells)
    console = standard_output()
    console.print(table)
    if known and known.note:
        console.print(f"note: {known.note}", style="dim", soft_wrap=True)
    console.print()


def _facts(result: Audit) -> list[tuple[str, list[str]]]:
    """The rows of the table: a title, and its value for each split."""
    splits = list(result.splits.values())
    facts = [("rows", [f"{one.rows:,}" for one in splits])]
    kind = "class" if result.problem_type == "classification" else "label"
    facts += [
        (f"{kind} {name}", [f"{one.classes[number] / one.rows:.1%}" for one in splits])
        for number, name in enumerate(result.classes[:MAX_SHOWN])
    ]
    if len(result.classes) > MAX_SHOWN:
        facts.append((f"{len(result.classes) - MAX_SHOWN:,} more in --json", [""] * len(splits)))
    if result.problem_type == "regression":
        facts.append(("label, min mean max", [_numbers(one.numbers) for one in splits]))
    facts.append(("bases, min median max", [_lengths(one.bases) for one in splits]))
    if splits[0].tokens:
        facts.append(("tokens, min median max", [_lengths(one.tokens) for one in splits]))
    facts += [
        (f"longer than {limit} tokens", [f"{one.cut[limit]:.1%}" for one in splits])
        for limit in splits[0].cut
    ]
    facts.append(("symbols other than ACGT", [f"{one.other_symbols:,}" for one in splits]))
    facts.append(("duplicates within", [_overlap(one.within, one) for one in splits]))
    facts += [
        (
            f"duplicates of {earlier}",
            [_overlap(one.against[earlier], one) if earlier in one.against else "" for one in splits],
        )
        for earlier in list(result.splits)[:-1]
    ]
    return facts


def _numbers(numbers: Any) -> str:
    return f"{numbers.least:.4g} {numbers.mean:.4g} {numbers.most:.4g}"


def _lengths(lengths: Any) -> str:
    return f"{lengths.least:,} {lengths.median:,.0f} {lengths.most:,}"


def _overlap(found: Overlap, split: SplitAudit) -> str:
    """Such as `54 exact, 53 near (1.8%)`."""
    kinds = {"exact": found.exact, "reverse complement": found.reverse, "near": found.near}
    words = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)
    if not words:
        return "none"
    share = f" ({found.rows / split.rows:.1%})"
    return words + share + (f", {found.conflicting:,} with another label" if found.conflicting else "")


def _columns(*cells: str) -> str:
    """A line of the list, within 80 characters."""
    widths = (-21, 8, 7, 8, 7, 7, 4, 10, 8)
    return "".join(
        f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}"
        for cell, width in zip(cells, widths, strict=True)
    )


def _number(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"
