"""`genotok study` as sections: a sample is a tokenizer on a genome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.multiqc.columns import number, percent, whole
from genotok.multiqc.sections import MultiqcSection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genotok.run_records.schemas import StudyRecord

__all__ = ["study_sections"]

PERCENTAGES = {
    "vocab_used_share": percent(
        "Vocabulary used", "Tokens that occur, of those without special ones", scale="Blues"
    ),
    "shift_share": percent("Shift", "Tokens that change if a window starts one base later", scale="OrRd"),
    "substitution_share": percent("Substitution", "Tokens that change with the middle base", scale="OrRd"),
    "reverse_complement_consistency": percent(
        "Reverse complement", "Tokens of the reverse complement at the place of a token", scale="PuRd"
    ),
}
NUMBERS = {
    "bases_per_token": number("Bases per token", "Bases divided by tokens", scale="YlGn"),
    "bits_per_base": number("Bits per base", "Unigram entropy per base", scale="Purples", decimals=3),
    "mutual_information": number(
        "Information", "Mutual information with the next token, in bits", scale="Purples", hidden=True
    ),
}
VOCABULARY = whole("Vocabulary", "Tokens, with special ones", scale="Greys")


def study_sections(record: StudyRecord) -> list[MultiqcSection]:
    """A table of measures, tokens per 1,000 bases, and the token lengths of byte-pair tokenizers."""
    rows = {_sample(row): row for row in record.measures}
    byte_pairs = {each["name"] for each in record.tokenizers if each["kind"] == "bpe"}
    return [
        MultiqcSection(
            name="measures",
            plot="table",
            title="Tokenizers on genomes",
            description="Measures of <code>genotok study</code>, for each tokenizer on each genome.",
            first_column="Genome, tokenizer",
            settings={"vocab_size": VOCABULARY, **NUMBERS, **PERCENTAGES},
            data=_measures(record, rows),
        ),
        MultiqcSection(
            name="tokens",
            plot="bargraph",
            title="Tokens per 1,000 bases",
            description="How many tokens a tokenizer makes of 1,000 bases: fewer make a shorter input.",
            settings={"ylab": "Tokens per 1,000 bases", "cpswitch": False, "tt_decimals": 1},
            categories={"tokens_per_kb": {"name": "tokens per 1,000 bases", "color": "#1f78b4"}},
            data={sample: {"tokens_per_kb": row["tokens_per_kb"]} for sample, row in rows.items()},
        ),
        MultiqcSection(
            name="lengths",
            plot="linegraph",
            title="Token lengths",
            description="The share of tokens of each length, for byte-pair tokenizers.",
            settings={
                "xlab": "Length in bases",
                "ylab": "Share of the tokens",
                "ysuffix": "%",
                "ymin": 0,
                "x_decimals": False,
            },
            data={
                # Pairs: keys of JSON are text, which MultiQC would sort as text.
                _sample(curve): [
                    [length, 100 * share] for length, share in zip(curve["x"], curve["y"], strict=True)
                ]
                for curve in record.curves
                if curve["kind"] == "token length" and curve["tokenizer"] in byte_pairs
            },
        ),
    ]


def _sample(row: Mapping[str, Any]) -> str:
    """The name of a tokenizer on a genome; MultiQC would take away folders and endings, were there any."""
    return f"{row['genome']}, {row['tokenizer']}".replace("/", "_").replace(".", "_")


def _measures(record: StudyRecord, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """The columns of each row; a measure that could not be taken is left out."""
    sizes = {tokenizer["name"]: tokenizer["vocab_size"] for tokenizer in record.tokenizers}
    found = {}
    for sample, row in rows.items():
        values = {name: row.get(name) for name in NUMBERS}
        values |= {name: None if row.get(name) is None else 100 * row[name] for name in PERCENTAGES}
        values["vocab_size"] = sizes[row["tokenizer"]]
        found[sample] = {name: value for name, value in values.items() if value is not None}
    return found
