"""The table of an audit of a labelled set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.cli.shared.console import report_console

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genotok.files.outputs import FileOutput
    from genotok.gue import Audit, GueSet, LengthStatistics, Overlap, SplitAudit
    from genotok.gue.audit import LabelStatistics

__all__ = ["print_audit"]

MAX_SHOWN = 12
"""Maximum number of classes that an audit prints."""

KINDS = {
    "exact": "exact copies",
    "windows": "overlapping windows",
    "reverse": "reverse complements",
    "similar": "similar, either strand",
}


def print_audit(name: str, known: GueSet | None, result: Audit, output: FileOutput | None = None) -> None:
    """The table of one set, beside a record that goes to `output`."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", title=name, title_justify="left")
    table.add_column("")
    for split in result.splits:
        table.add_column(split, justify="right")
    for label, cells in [*_facts(result), *_loci(result)]:
        table.add_row(label, *cells)
    console = report_console(output)
    console.print(table)
    for text in _notes(result, known):
        console.print(text, style="dim", soft_wrap=True)
    console.print()


def _facts(result: Audit) -> list[tuple[str, list[str]]]:
    """Rows of the table on each split by itself: a title, and its value for each split."""
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
    return facts


def _loci(result: Audit) -> Iterator[tuple[str, list[str]]]:
    """Rows of the table on what splits share: within, then with each split."""
    splits = list(result.splits.values())
    yield from _shared("a row above", [one.within for one in splits], splits)
    for other in list(result.splits)[:-1]:
        yield from _shared(other, [one.against.get(other) for one in splits], splits)
    for side in range(len(splits[0].sides)):
        for other in list(result.splits)[:-1]:
            overlaps = [one.sides[side].get(other) if other in one.against else None for one in splits]
            yield from _shared(f"{other}, side {side + 1}", overlaps, splits)
    if len(splits) > 1:
        clean = [f"{one.clean:,} ({one.clean / one.rows:.1%})" if one.against else "" for one in splits]
        yield "clean rows", clean


def _shared(
    other: str, overlaps: Sequence[Overlap | None], splits: Sequence[SplitAudit]
) -> Iterator[tuple[str, list[str]]]:
    """The total, then the kinds that there are, and the share of equal labels."""
    there = [one for one in overlaps if one is not None and one.rows]
    totals = [
        "" if one is None else f"{one.rows:,} ({one.rows / split.rows:.1%})" if one.rows else "none"
        for one, split in zip(overlaps, splits, strict=True)
    ]
    yield f"in a locus of {other}", totals
    for kind, title in KINDS.items():
        if any(getattr(one, kind) for one in there):
            counts = ["" if one is None or not one.rows else f"{getattr(one, kind):,}" for one in overlaps]
            yield f"  {title}", counts
    if there:
        yield (
            "  with the same label",
            [
                "" if one is None or not one.rows else f"{sum(one.same_label.values()) / one.rows:.1%}"
                for one in overlaps
            ],
        )


def _notes(result: Audit, known: GueSet | None) -> Iterator[str]:
    """What stands below the table."""
    loci = result.loci
    rows = sum(one.rows for one in result.splits.values())
    yield (
        f"{rows:,} rows are of {loci.clusters:,} cluster{'s' if loci.clusters > 1 else ''}, "
        f"the largest with {loci.largest:,} row{'s' if loci.largest > 1 else ''}; "
        f"{loci.across:,} {'is' if loci.across == 1 else 'are'} in several splits"
    )
    if loci.frequent_kmers:
        yield (
            f"{loci.frequent_kmers:,} k-mers of repeats, in {loci.frequent_sequences:,} sequences, are "
            "ignored in the search for similar rows"
        )
    if known and known.note:
        yield f"note: {known.note}"


def _numbers(numbers: LabelStatistics | None) -> str:
    return f"{numbers.least:.4g} {numbers.mean:.4g} {numbers.most:.4g}" if numbers else ""


def _lengths(lengths: LengthStatistics | None) -> str:
    return f"{lengths.least:,} {lengths.median:,.0f} {lengths.most:,}" if lengths else ""
