"""Records of every kind as version 0.1.0 wrote them are read: by the report, by `info`, by the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genotok.cli.kinds import recognise
from genotok.compare.table import comparison_markdown
from genotok.evaluation.results import markdown
from genotok.report import make_page, read_records
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import ComparisonRecord, FinetuneRecord
from tests.support.page import Page

GOLDEN = Path(__file__).resolve().parent / "golden" / "records"


def test_the_report_finds_every_record() -> None:
    found = read_records([str(GOLDEN)])
    kinds = {each.name: each.kind for each in found if each.kind}
    assert kinds == {
        "compared": "models",
        "finetuned": "gue",
        "pretrained": "pretrain",
        "stopped": "pretrain",
        "study.json": "study",
        "tokens": "genotok shards",
        "training.json": "tokenizer training",
    }


def test_the_report_shows_their_figures() -> None:
    page = make_page(read_records([str(GOLDEN)]))
    assert page.shown == 7
    assert {name for name, _ in page.left_out} == {"encode.json", "evaluate.json"}
    text = Page(page.html).text
    for figure in ("354.5", "1.614", "3.166", "1.363", "20.0", "23 merges", "Caveats", "unigram baseline"):
        assert figure in text, figure


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("study.json", "tokenizers", ["tokenizer", "kmer:2", "kmer:2:no-overlap"]),
        ("pretrained", "eval_bits_per_base", 1.363315981206481),
        ("stopped", "state", "unfinished; genotok pretrain --resume continues it"),
        ("finetuned", "state", "complete"),
        ("compared", "seconds", 9.8),
        ("predictions.parquet", "rows", 20),
        ("vectors.parquet", "rows", 1),
    ],
)
def test_info_reads_them(name: str, key: str, value: Any) -> None:
    _, facts = recognise(str(GOLDEN / name))
    assert facts[key] == value


def test_the_tables_are_made_of_them() -> None:
    compared = comparison_markdown(
        ComparisonRecord.from_json(read_record(GOLDEN / "compared" / "compared.json"))
    )
    assert "| bits per base | 1.226 | – | 1.942 |  |" in compared
    assert "| organism | 0.0 | 0.0 | 0.0 | **61.2** |" in compared
    tuned = markdown([FinetuneRecord.from_json(read_record(GOLDEN / "finetuned" / "results.json"))])
    assert "| organism | **61.2** | 0.0 ± 0.0 | 0.0–0.0 |" in tuned
