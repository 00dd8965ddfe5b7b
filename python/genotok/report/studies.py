"""The section of a study: figures by genome, transfer, agreement, claims, and the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.report.plots import Axis, Series, dots, lines, stems
from genotok.report.tables import Cell, Column, Figure, Section, Table, caveats_of, facts, number, text

if TYPE_CHECKING:
    from genotok.report.records import Found

__all__ = ["study_section"]

Record = dict[str, Any]

MOST_GENOMES = 6
"""Curves are drawn for so many genomes; all are in the tables."""

WINDOW = 2_000
"""Bases of the windows whose tokens are drawn."""

INPUT_TOKENS = 510
"""What a 512-token input holds beside its two special tokens."""

MEASURES: tuple[tuple[str, str, str, str, float], ...] = (
    ("tokens per kb", "tokens that stand for bases, for 1,000 bases", "tokens_per_kb", "{:,.1f}", 1),
    ("bases per token", "bases of the genome for each token", "bases_per_token", "{:.2f}", 1),
    ("bits per base", "unigram entropy of the ids", "bits_per_base", "{:.3f}", 1),
    ("fixed-length code", "bits per base of ids of equal length", "bits_per_base_uniform", "{:.2f}", 1),
    ("used", "different tokens that occur", "vocab_used", "{:,}", 1),
    ("used, %", "of the tokens that stand for bases", "vocab_used_share", "{:.1f}", 100),
    ("unknown, %", "tokens that are the unknown one", "unknown_share", "{:.3f}", 100),
    ("MFLOP per base", "DNABERT-2's encoder on 1,000 bases", "flops_per_base", "{:,.1f}", 1e-6),
)
STEADINESS: tuple[tuple[str, str, str, str, float], ...] = (
    ("shift", "tokens of 1 kb that change after a shift by one base", "shift_tokens", "{:.2f}", 1),
    ("shift, %", "the same as a share of the tokens", "shift_share", "{:.1f}", 100),
    ("substitution", "tokens that change after one changed base", "substitution_tokens", "{:.2f}", 1),
    (
        "reverse complement, %",
        "tokens of the other strand with the same borders",
        "mirror_share",
        "{:.1f}",
        100,
    ),
    ("mutual information, bits", "of a token with the next one", "neighbour_bits", "{:.2f}", 1),
    (
        "shuffled control, bits",
        "the same of shuffled tokens: the truth is 0",
        "neighbour_bits_permuted",
        "{:.2f}",
        1,
    ),
    ("mutual information, %", "as a share of the next token's entropy", "neighbour_share", "{:.1f}", 100),
)
FIT: tuple[tuple[str, str, str, str, float], ...] = (
    ("1\u00a0kb, %", "windows of this length that an input of 512 tokens holds", "fit_1000", "{:.1f}", 100),
    ("2\u00a0kb, %", "", "fit_2000", "{:.1f}", 100),
    ("4\u00a0kb, %", "", "fit_4000", "{:.1f}", 100),
    ("10\u00a0kb, %", "", "fit_10000", "{:.1f}", 100),
)


def study_section(found: Found) -> Section:
    """Everything a study found."""
    record = found.data
    tables = [
        _claims(record),
        _measures(record, "Compression and cost", MEASURES),
        _measures(record, "Robustness, and what neighbours tell", STEADINESS),
        _measures(record, f"Windows that fit an input of {INPUT_TOKENS + 2} tokens", FIT),
        _transfer(record),
        _agreement(record),
        _genomes(record),
        _tokenizers(record),
    ]
    return Section(
        title="Tokenizers on genomes",
        source=found.name,
        facts=facts(record),
        tables=tuple(table for table in tables if table.rows),
        figures=tuple(_figures(record)),
        caveats=caveats_of(record),
        summary=_summary(record),
    )


def _summary(record: Record) -> str:
    """What was compared, and the fewest tokens on each genome."""
    names = [str(each["name"]) for each in record["tokenizers"]]
    genomes = [str(each["name"]) for each in record["genomes"]]
    said = f"{len(names):,} tokenizers on {len(genomes):,} genomes."
    if len(names) < 2 or len(genomes) > MOST_GENOMES:
        return said
    least: dict[str, list[str]] = {}
    for genome in genomes:
        rows = [row for row in record["measures"] if row["genome"] == genome]
        low = min(round(row["tokens_per_kb"], 1) for row in rows)
        who = [str(row["tokenizer"]) for row in rows if round(row["tokens_per_kb"], 1) == low]
        least.setdefault(" and ".join(who), []).append(f"{genome} ({low:,.1f} per kb)")
    fewest = "; ".join(f"{who} on {', '.join(places)}" for who, places in least.items())
    return f"{said} Fewest tokens: {fewest}."


def _measures(record: Record, caption: str, wanted: tuple[tuple[str, str, str, str, float], ...]) -> Table:
    """A row for each tokenizer on each genome."""
    columns = (Column("tokenizer", numeric=False), Column("genome", numeric=False))
    rows = [
        (
            text(row["tokenizer"]),
            text(row["genome"]),
            *(number(row.get(key), form, scale) for _, _, key, form, scale in wanted),
        )
        for row in record["measures"]
    ]
    return Table(caption, (*columns, *(Column(title, hint) for title, hint, *_ in wanted)), tuple(rows))


def _claims(record: Record) -> Table:
    """The paper's claims beside what was measured."""
    columns = (
        Column("claim", numeric=False),
        Column("published"),
        Column("measured"),
        Column("unit", numeric=False),
        Column("tokenizer", numeric=False),
        Column("genome", numeric=False),
    )
    rows = [
        (
            text(row["claim"]),
            number(row["published"], "{:g}"),
            number(row["measured"], "{:.2f}", strong=True),
            *(text(row[key]) for key in ("unit", "tokenizer", "genome")),
        )
        for row in record["claims"]
    ]
    return Table("Published claims on DNABERT-2, and what was measured", columns, tuple(rows))


def _transfer(record: Record) -> Table:
    """Bits per base of each byte-pair vocabulary on each genome, the least of a genome in bold."""
    names = [each["name"] for each in record["tokenizers"] if each["kind"] == "bpe"]
    genomes = [each["name"] for each in record["genomes"]]
    bits = {(row["tokenizer"], row["genome"]): row["bits_per_base"] for row in record["measures"]}
    rows: list[tuple[Cell, ...]] = []
    if len(names) > 1:
        best = {genome: min(round(bits[name, genome], 4) for name in names) for genome in genomes}
        rows = [
            (
                text(name),
                *(
                    number(bits[name, each], "{:.4f}", strong=round(bits[name, each], 4) == best[each])
                    for each in genomes
                ),
            )
            for name in names
        ]
    columns = (Column("vocabulary", numeric=False), *(Column(each) for each in genomes))
    return Table("Transfer: bits per base of each vocabulary on each genome", columns, tuple(rows))


def _agreement(record: Record) -> Table:
    """How alike the vocabularies are."""
    columns = (
        Column("one", numeric=False),
        Column("other", numeric=False),
        Column("tokens", "size at which they are compared"),
        Column("shared", "tokens of bases that both have"),
        Column("Jaccard", "shared ones among all that either has"),
        Column("ranks", "Spearman's correlation of the ranks of shared merges"),
    )
    rows = [
        (
            text(row["left"]),
            text(row["right"]),
            number(row["vocab_size"], "{:,}"),
            number(row["shared_tokens"], "{:,}"),
            number(row["jaccard"], "{:.3f}"),
            number(row["rank_correlation"], "{:.3f}"),
        )
        for row in record["agreement"]
    ]
    return Table("Vocabularies, pair by pair", columns, tuple(rows))


def _genomes(record: Record) -> Table:
    """What was read."""
    columns = (
        Column("genome", numeric=False),
        Column("files", numeric=False),
        Column("records"),
        Column("bases, Mb"),
        Column("other letters"),
        Column("G+C, %"),
    )
    rows = [
        (
            text(each["name"]),
            text(", ".join(each["files"])),
            number(each["records"], "{:,}"),
            number(each["bases"], "{:,.3f}", 1e-6),
            number(each["other_letters"], "{:,}"),
            number(each["gc"], "{:.1f}", 100),
        )
        for each in record["genomes"]
    ]
    return Table("Genomes", columns, tuple(rows))


def _tokenizers(record: Record) -> Table:
    """What was compared."""
    columns = (Column("tokenizer", numeric=False), Column("kind", numeric=False), Column("tokens"))
    more = (Column("longest", "bases of the longest token"), Column("overlap", "bases shared with the next"))
    rows = [
        (
            text(each["name"]),
            text({"bpe": "byte pairs"}.get(each["kind"], each["kind"])),
            number(each["vocab_size"], "{:,}"),
            number(each["longest_token_bases"], "{:,}"),
            number(each["overlap_bases"], "{:,}"),
        )
        for each in record["tokenizers"]
    ]
    return Table("Tokenizers", (*columns, *more), tuple(rows))


def _figures(record: Record) -> list[Figure]:
    """The plots: two of all genomes, three of each."""
    names = [each["name"] for each in record["tokenizers"]]
    genomes = [each["name"] for each in record["genomes"]]
    place = {name: float(number) for number, name in enumerate(names)}

    def by_genome(key: str) -> list[Series]:
        rows = [row for row in record["measures"] if row.get(key) is not None]
        return [
            Series(
                genome,
                [row[key] for row in rows if row["genome"] == genome],
                [place[row["tokenizer"]] for row in rows if row["genome"] == genome],
            )
            for genome in genomes
        ]

    found = [
        dots("Tokens per 1,000 bases", names, by_genome("tokens_per_kb"), Axis("tokens per kb")),
        dots("Mutual information of a token with the next", names, by_genome("neighbour_bits"), Axis("bits")),
    ]
    for genome in genomes[:MOST_GENOMES]:
        found += _curves(record, genome)
    return found


def _curves(record: Record, genome: str) -> list[Figure]:
    """The plots of one genome: Zipf, token length, tokens per window."""

    def of(kind: str, *, scale: float = 1, swap: bool = False) -> list[Series]:
        chosen = [
            curve
            for curve in record["curves"]
            if (curve["genome"], curve["kind"]) == (genome, kind) and curve.get("window", WINDOW) == WINDOW
        ]
        return [
            _distribution(curve)
            if swap
            else Series(curve["tokenizer"], curve["x"], [scale * y for y in curve["y"]])
            for curve in chosen
        ]

    zipf = lines(
        f"{genome}: frequency of each token",
        of("zipf"),
        Axis("rank of the token", log=True),
        Axis("share of all tokens", log=True),
    )
    length = stems(
        f"{genome}: token lengths",
        of("token length", scale=100),
        Axis("bases"),
        Axis("% of the tokens"),
    )
    windows = lines(
        f"{genome}: tokens per window of {WINDOW:,} bases; an input of 512 tokens ends at the dashes",
        of("tokens per window", swap=True),
        Axis("tokens", log=True),
        Axis("% of windows with at most so many"),
        mark=INPUT_TOKENS,
    )
    return [plot for plot in (zipf, length, windows) if plot.series]


def _distribution(curve: Record) -> Series:
    """Tokens of windows against the share of windows; windows that all have as many are one point."""
    tokens, shares = curve["y"], curve["x"]
    if tokens and min(tokens) == max(tokens):
        return Series(curve["tokenizer"], tokens[:1], [max(shares)])
    return Series(curve["tokenizer"], tokens, shares)
