"""The encoder of the browse page, in JavaScript: equal to `Tokenizer.encode`, merge by merge."""

from __future__ import annotations

import hashlib
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genotok import ArgumentError, SymbolError, Tokenizer
from genotok.browse.description import describe
from tests.support.foreign import SUPPORTED, added, document, split, texts
from tests.support.javascript import PageScript

ROOT = Path(__file__).resolve().parent.parent
EACH = split(".", "Isolated", "Regex")
PUBLISHED = ROOT / "docs" / "published" / "dnabert2"
GOLDEN = ROOT / "tests" / "golden" / "tokenizers"


def words(pre_tokenizer: Any) -> str:
    """A file that looks single bases up."""
    made = document("ACGTN", [])
    made["model"] = {"type": "WordLevel", "unk_token": "[UNK]", "vocab": made["model"]["vocab"]}
    return json.dumps(made | {"pre_tokenizer": pre_tokenizer})


def kmers() -> dict[str, Tokenizer]:
    kinds = [
        (k, overlap, canonical)
        for k in (1, 2, 3, 6)
        for overlap, canonical in product((True, False), repeat=2)
    ]
    made = {
        f"{k}-mers {overlap} {canonical}": Tokenizer.kmer(
            k, overlap=overlap, canonical=canonical, uppercase=bool(k % 2)
        )
        for k, overlap, canonical in kinds
    }
    return made | {"without an unknown token": Tokenizer.kmer(3, special_tokens=["[S]"])}


def foreign() -> dict[str, Tokenizer]:
    return {name: Tokenizer.from_json(json.dumps(made)) for name, made in SUPPORTED.items()}


TOKENIZERS: dict[str, Tokenizer] = {
    "DNABERT-2": Tokenizer.from_file(PUBLISHED / "tokenizer.json"),
    **{path.stem: Tokenizer.from_file(path) for path in GOLDEN.glob("*.json") if path.stem != "expected"},
    **kmers(),
    **foreign(),
    "single bases": Tokenizer.from_json(words(EACH)),
    "single bases, all else in runs": Tokenizer.from_json(words(split("[ACGTN]", "Isolated", "Regex"))),
}


def refused(tokenizer: Tokenizer) -> bool:
    try:
        describe("name", tokenizer)
    except ArgumentError:
        return True
    return False


SHOWN = sorted(name for name, tokenizer in TOKENIZERS.items() if not refused(tokenizer))


@pytest.fixture(scope="module")
def script() -> PageScript:
    made = PageScript()
    for name in SHOWN:
        made.load(name, TOKENIZERS[name])
    return made


def test_most_files_can_be_shown() -> None:
    assert len(SHOWN) >= 0.7 * len(TOKENIZERS)
    assert {"plain", "bpe", "ByteLevel", "ids in no order", "single bases"} <= set(SHOWN)


@pytest.mark.parametrize("name", sorted(TOKENIZERS.keys() - set(SHOWN)))
def test_other_files_are_refused_with_the_reason(name: str) -> None:
    with pytest.raises(ArgumentError, match=r"^tokenizer=name: its .*, which the page does not carry out"):
        describe("name", TOKENIZERS[name])


@pytest.mark.parametrize("name", SHOWN)
@settings(max_examples=40)
@given(text=texts, uppercase=st.booleans())
def test_ids_and_places_are_those_of_encode(
    name: str, text: str, uppercase: bool, script: PageScript
) -> None:
    got = script.call("encode", name, text, uppercase)
    try:
        batch = TOKENIZERS[name].encode_batch([text], uppercase=uppercase, offsets=True)
    except SymbolError:
        assert "why" in got
        return
    if "why" in got:  # honestly refused: what is not ASCII, or depends on its neighbours
        assert "which this page does not carry out" in got["why"]
        assert not text.isascii() or "single bases" in name
        return
    assert got["ids"] == batch.values.tolist()
    if text.isascii():
        assert batch.spans is not None
        assert got["spans"] == batch.spans.tolist()


@pytest.mark.parametrize(
    "name",
    ["bpe", "ids in no order", "U is T", "a part after its product", "a merge twice", "a product made twice"],
)
@settings(max_examples=40)
@given(text=st.text(alphabet="ACGTACGTACGTN-", max_size=60))
def test_merges_come_in_the_order_of_explain(name: str, text: str, script: PageScript) -> None:
    tokenizer = TOKENIZERS[name]
    steps = script.call("explain", name, text)
    expected = tokenizer.explain(text)
    assert [rank for rank, _ in steps] == [step["rank"] for step in expected]
    for (_, spans), step in zip(steps, expected, strict=True):
        assert len(spans) == len(step["tokens"])
        for (start, end), token in zip(spans, step["tokens"], strict=True):
            assert text[start:end] == token or token == "[UNK]"


def test_a_genome_has_equal_ids(script: PageScript) -> None:
    text = (
        (ROOT / "genomes" / "lambda_phage.fa")
        .read_text(encoding="ascii")
        .partition("\n")[2]
        .replace("\n", "")
    )
    for name in ("DNABERT-2", "bpe", "6-mers True True", "6-mers False False"):
        assert script.call("encode", name, text, False)["ids"] == TOKENIZERS[name].encode(text)
    repeats = "A" * 3000 + "AC" * 2000 + "ACG" * 1000 + "N" * 500 + "T" * 3001
    for name in ("DNABERT-2", "bpe"):
        assert script.call("encode", name, repeats, False)["ids"] == TOKENIZERS[name].encode(repeats)


def test_the_published_vocabulary_is_unchanged() -> None:
    """What the documentation shows is the file that its authors published."""
    digest = hashlib.sha256((PUBLISHED / "tokenizer.json").read_bytes()).hexdigest()
    assert f"SHA-256: {digest}." in (PUBLISHED / "SOURCE.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHOWN)
def test_the_vocabulary_is_that_of_the_tokenizer(name: str, script: PageScript) -> None:
    tokenizer = TOKENIZERS[name]
    search = {"query": "", "place": "contains", "hasCodes": True, "hasReverse": False, "order": "id"}
    assert script.call("found", name, search) == [
        tokenizer.id_to_token(index) for index in range(len(tokenizer))
    ]


@pytest.mark.parametrize(
    ("query", "place", "reverse", "expected"),
    [
        ("AC", "is", False, {"AC"}),
        ("AC", "is", True, {"AC", "GT"}),
        ("an", "is", False, {"AA", "AC", "AG", "AT"}),
        ("RG", "is", True, {"AG", "GG", "CT", "CC"}),
        ("C", "starts", False, {"C", "CA", "CC", "CG", "CT"}),
        ("C", "ends", False, {"C", "AC", "CC", "GC", "TC"}),
        ("#0", "is", False, {"<unk>"}),
        ("#9999", "is", False, set()),
        ("<p", "starts", False, {"<pad>"}),
        ("(", "contains", False, set()),
    ],
)
def test_the_vocabulary_is_searched(
    query: str, place: str, reverse: bool, expected: set[str], script: PageScript
) -> None:
    search = {"query": query, "place": place, "hasCodes": True, "hasReverse": reverse, "order": "longest"}
    assert set(script.call("found", "2-mers False False", search)) == expected


@pytest.mark.parametrize(
    ("text", "names", "sequence"),
    [
        ("ACGT", [""], "ACGT"),
        ("AC GT\r\nTT\n", [""], "ACGTTT"),
        ("\n>one two\nAC\nGT\n>three\nTT\n", ["one", "three"], "ACGTTT"),
        (">\nAC", [""], "AC"),
        ("  \n >indented\nAC\n\n", ["indented"], "AC"),
        (">only", ["only"], ""),
        ("@r1\nAC\nGT\n+\nIIII\n@r2\nTT\n+r2\n@>\n", ["r1", "r2"], "ACGTTT"),
        ("", [""], ""),
    ],
)
def test_records_are_recognised(text: str, names: list[str], sequence: str, script: PageScript) -> None:
    got = script.call("readRecords", text, False)
    assert got["sequence"] == sequence
    assert [record["name"] for record in got["records"]] == names
    assert script.call("readRecords", text, True)["sequence"] == text


def test_words_do_not_reach_over_records(script: PageScript) -> None:
    got = script.call("readRecords", ">a\nACG\n>b\nTAC\n", False)
    parts = [script.call("encode", "bpe", part, False)["ids"] for part in ("ACG", "TAC")]
    made = script.call("encodeRecords", "bpe", got)
    assert made == parts[0] + parts[1]


def test_a_large_vocabulary_is_refused_by_its_size() -> None:
    with pytest.raises(ArgumentError, match=r"16,777,221 tokens; a page takes 1,048,576 at most"):
        describe("large", Tokenizer.kmer(12))


def test_a_token_that_is_found_first_is_described_as_such() -> None:
    made = document("ACGT", [("A", "C")])
    made["added_tokens"].append(added("<x>", 10, lstrip=True))
    described = describe("name", Tokenizer.from_json(json.dumps(made)))
    assert ("<x>", 10, True, False, False) in described["added"]
