"""The section of a study: figures by genome, transfer, agreement, claims, and the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genotok.report.study_plots import INPUT_TOKENS, MAX_GENOMES, study_figures
from genotok.report.tables import Cell, Column, ReportTable, Section, facts, number, text
from genotok.run_records.schemas import StudyRecord

if TYPE_CHECKING:
    from genotok.report.records import FoundRecord

__all__ = ["study_section"]

MEASURES: tuple[tuple[str, str, str, str, float], ...] = (
    ("tokens per kb", "tokens that stand for bases, for 1,000 bases", "tokens_per_kb", "{:,.1f}", 1),
    ("bases per token", "bases of the genome for each token", "bases_per_token", "{:.2f}", 1),
    ("bits per base", "unigram entropy of the ids", "bits_per_base", "{:.3f}", 1),
    ("fixed-length code", "bits per base of ids of equal length", "bits_per_base_fixed_length", "{:.2f}", 1),
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
        "reverse-complement consistency, %",
        "tokens of the other strand with the same borders",
        "reverse_complement_consistency",
        "{:.1f}",
        100,
    ),
    ("mutual information, bits", "of a token with the next one", "mutual_information", "{:.2f}", 1),
    (
        "shuffled control, bits",
        "the same of shuffled tokens: the truth is 0",
        "mutual_information_shuffled",
        "{:.2f}",
        1,
    ),
    (
        "mutual information, %",
        "as a share of the next token's entropy",
        "mutual_information_share",
        "{:.1f}",
        100,
    ),
)
FIT: tuple[tuple[str, str, str, str, float], ...] = (
    ("1\u00a0kb, %", "windows of this length that an input of 512 tokens holds", "fit_1000", "{:.1f}", 100),
    ("2\u00a0kb, %", "", "fit_2000", "{:.1f}", 100),
    ("4\u00a0kb, %", "", "fit_4000", "{:.1f}", 100),
    ("10\u00a0kb, %", "", "fit_10000", "{:.1f}", 100),
)


def study_section(found: FoundRecord) -> Section:
    """Everything a study found."""
    record = StudyRecord.from_json(found.data)
    tables = [
        _claims(record),
        _measures(record, "Compression and cost", MEASURES),
        _measures(record, "Robustness and mutual information", STEADINESS),
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
        figures=tuple(study_figures(record)),
        caveats=tuple(map(str, record.caveats)),
        summary=_summary(record),
    )


def _summary(record: StudyRecord) -> str:
    """What was compared, and the fewest tokens on each genome."""
    names = [str(each["name"]) for each in record.tokenizers]
    genomes = [str(each["name"]) for each in record.genomes]
    said = f"{len(names):,} tokenizers on {len(genomes):,} genomes."
    if len(names) < 2 or len(genomes) > MAX_GENOMES:
        return said
    least: dict[str, list[str]] = {}
    for genome in genomes:
        rows = [row for row in record.measures if row["genome"] == genome]
        low = min(round(row["tokens_per_kb"], 1) for row in rows)
        who = [str(row["tokenizer"]) for row in rows if round(row["tokens_per_kb"], 1) == low]
        least.setdefault(" and ".join(who), []).append(f"{genome} ({low:,.1f} per kb)")
    fewest = "; ".join(f"{who} on {', '.join(places)}" for who, places in least.items())
    return f"{said} Fewest tokens: {fewest}."


def _measures(
    record: StudyRecord, caption: str, wanted: tuple[tuple[str, str, str, str, float], ...]
) -> ReportTable:
    """A row for each tokenizer on each genome."""
    columns = (Column("tokenizer", numeric=False), Column("genome", numeric=False))
    rows = [
        (
            text(row["tokenizer"]),
            text(row["genome"]),
            *(number(row.get(key), form, scale) for _, _, key, form, scale in wanted),
        )
        for row in record.measures
    ]
    return ReportTable(caption, (*columns, *(Column(title, hint) for title, hint, *_ in wanted)), tuple(rows))


def _claims(record: StudyRecord) -> ReportTable:
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
        for row in record.claims
    ]
    return ReportTable("Published claims on DNABERT-2, and what was measured", columns, tuple(rows))


def _transfer(record: StudyRecord) -> ReportTable:
    """Bits per base of each byte-pair vocabulary on each genome, the least of a genome in bold."""
    names = [each["name"] for each in record.tokenizers if each["kind"] == "bpe"]
    genomes = [each["name"] for each in record.genomes]
    bits = {(row["tokenizer"], row["genome"]): row["bits_per_base"] for row in record.measures}
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
    return ReportTable("Transfer: bits per base of each vocabulary on each genome", columns, tuple(rows))


def _agreement(record: StudyRecord) -> ReportTable:
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
        for row in record.agreement
    ]
    return ReportTable("Vocabularies, pair by pair", columns, tuple(rows))


def _genomes(record: StudyRecord) -> ReportTable:
    """What was read."""
    columns = (
        Column("genome", numeric=False),
        Column("files", numeric=False),
        Column("records"),
        Column("bases, Mb"),
        Column("other symbols"),
        Column("G+C, %"),
    )
    rows = [
        (
            text(each["name"]),
            text(", ".join(each["files"])),
            number(each["records"], "{:,}"),
            number(each["bases"], "{:,.3f}", 1e-6),
            number(each["other_symbols"], "{:,}"),
            number(each["gc"], "{:.1f}", 100),
        )
        for each in record.genomes
    ]
    return ReportTable("Genomes", columns, tuple(rows))


def _tokenizers(record: StudyRecord) -> ReportTable:
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
        for each in record.tokenizers
    ]
    return ReportTable("Tokenizers", (*columns, *more), tuple(rows))
