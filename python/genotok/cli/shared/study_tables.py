"""A study as tables on the terminal: a line per tokenizer and a block per genome, then comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genotok.cli.shared import figures
from genotok.cli.shared.console import report_console
from genotok.cli.shared.messages import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from genotok.files.outputs import FileOutput
    from genotok.run_records.schemas import StudyRecord

__all__ = ["print_study"]

Row = Mapping[str, Any]

SHORT = (
    ("tokens", "per kb", "tokens_per_kb", "{:.0f}"),
    ("bases", "/token", "bases_per_token", "{:.2f}"),
    ("bits", "/base", "bits_per_base", "{:.3f}"),
    ("fixed", "length", "bits_per_base_fixed_length", "{:.2f}"),
    ("vocab", "used", "vocab_used_share", "{:.1%}"),
    ("un-", "known", "unknown_share", "{:.2%}"),
    ("MFLOP", "/base", "flops_per_base", "{:.0f}"),
)
STEADY = (
    ("one-base", "shift", "shift_tokens", "{:.1f}"),
    ("substi-", "tution", "substitution_tokens", "{:.1f}"),
    ("rev-comp", "consist.", "reverse_complement_consistency", "{:.0%}"),
    ("mutual", "inform.", "mutual_information", "{:.2f}"),
    ("shuffled", "control", "mutual_information_shuffled", "{:.2f}"),
    ("fits", "1 kb", "fit_1000", "{:.0%}"),
    ("", "2 kb", "fit_2000", "{:.0%}"),
    ("", "4 kb", "fit_4000", "{:.0%}"),
    ("", "10 kb", "fit_10000", "{:.0%}"),
)
LEGEND = (
    "bits/base: unigram entropy of the ids; fixed length: the same of a fixed-length code",
    "MFLOP/base: DNABERT-2 encoder on 1 kb",
    "shift, substitution: tokens of 1 kb that change",
    "reverse-complement consistency: token borders that the other strand has too",
    "mutual information: bits, of a token and the next one; shuffled control: the same where the truth is 0",
    "fits: windows that an input of 512 tokens holds",
)
SCALES = {"flops_per_base": 1e-6}

Cells = list[str]


def print_study(record: StudyRecord, output: FileOutput | None) -> None:
    """Everything a study found: on standard output, unless the record went there."""
    console = report_console(output)
    for genome in record.genomes:
        rows = [row for row in record.measures if row["genome"] == genome["name"]]
        _print_genome(console, genome, rows)
    for line in LEGEND:
        console.print(f"  {line}", style="dim", soft_wrap=True)
    _print_transfer(console, record)
    _print_agreement(console, record)
    _print_claims(console, record)
    if output is not None:
        console.print(f"\nwritten: {output.described}", soft_wrap=True)


def _print_genome(console: Console, genome: Row, rows: list[Row]) -> None:
    """The two tables of a genome."""
    from rich.text import Text

    gc = "" if genome["gc"] is None else f", {genome['gc']:.1%} G+C"
    other = f", {figures.count(genome['other_symbols'], 'other symbol')}" if genome["other_symbols"] else ""
    head = Text.assemble((one_line(genome["name"]), "bold"), f"  {figures.bases(genome['bases'])}{gc}{other}")
    console.print(head, soft_wrap=True)
    for columns in (SHORT, STEADY):
        heads = [["", *(above for above, *_ in columns)], ["tokenizer", *(below for _, below, *_ in columns)]]
        _print_rows(console, heads, [[row["tokenizer"], *_cells(row, columns)] for row in rows])
        console.print()


def _cells(row: Row, columns: tuple[tuple[str, str, str, str], ...]) -> Cells:
    """The figures of a row; a dash where there is none."""
    return [_figure(row.get(key), form, SCALES.get(key, 1)) for _, _, key, form in columns]


def _figure(value: float | None, form: str, scale: float = 1) -> str:
    """A number, a dash for none, and no minus before a zero."""
    if value is None:
        return "–"
    shown = form.format(value * scale)
    return shown if shown.strip("-0.%") else shown.removeprefix("-")


def _print_rows(console: Console, heads: list[Cells], rows: list[Cells], left: int = 1) -> None:
    """Lines of cells under their headings: the first `left` columns from the left, numbers from the right."""
    cells = [[one_line(cell) for cell in row] for row in heads + rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        parts = [
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        style = "cyan" if number < len(heads) else "dim" if number % 2 == len(heads) % 2 else ""
        console.print("  " + "  ".join(parts).rstrip(), style=style, soft_wrap=True)


def _print_transfer(console: Console, record: StudyRecord) -> None:
    """Bits per base of every byte-pair vocabulary on every genome, the best of a genome in bold."""
    from rich.text import Text

    names = [each["name"] for each in record.tokenizers if each["kind"] == "bpe"]
    genomes = [each["name"] for each in record.genomes]
    if len(names) < 2 or len(genomes) < 2:
        return
    bits = {(row["tokenizer"], row["genome"]): row["bits_per_base"] for row in record.measures}
    best = {genome: min(bits[name, genome] for name in names) for genome in genomes}
    console.print(Text("\nbits per base, vocabulary by genome; * is the least of a genome", "bold"))
    rows = [
        [
            name,
            *(f"{bits[name, each]:.4f}{'*' if bits[name, each] == best[each] else ' '}" for each in genomes),
        ]
        for name in names
    ]
    _print_rows(console, [["vocabulary", *(f"{genome} " for genome in genomes)]], rows)


def _print_agreement(console: Console, record: StudyRecord) -> None:
    """How alike the vocabularies are."""
    from rich.text import Text

    if not record.agreement:
        return
    console.print(Text("\nvocabularies, two and two", "bold"))
    heads = [["one", "other", "tokens", "shared", "Jaccard", "ranks of shared merges"]]
    rows = [
        [
            row["left"],
            row["right"],
            f"{row['vocab_size']:,}",
            f"{row['shared_tokens']:,}",
            _figure(row["jaccard"], "{:.3f}"),
            _figure(row["rank_correlation"], "{:.3f}"),
        ]
        for row in record.agreement
    ]
    _print_rows(console, heads, rows, left=2)


def _print_claims(console: Console, record: StudyRecord) -> None:
    """The paper's claims beside what was measured."""
    from rich.text import Text

    if not record.claims:
        return
    console.print(Text("\nwhat DNABERT-2's authors say, and what was measured", "bold"))
    heads = [["claim", "tokenizer", "genome", "unit", "published", "measured"]]
    rows = [
        [
            *(row[key] for key in ("claim", "tokenizer", "genome", "unit")),
            f"{row['published']:g}",
            _figure(row["measured"], "{:.2f}"),
        ]
        for row in record.claims
    ]
    _print_rows(console, heads, rows, left=4)
