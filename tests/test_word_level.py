"""tokenizer.json files with a WordLevel model: bases, codons, other k-mers with the ids of Hugging Face."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFaceTokenizer

import genotok
from tests.support.foreign import STRIP, WHOLE, Document, added, around, replace, split, template, texts

HYENA = ["[CLS]", "[SEP]", "[BOS]", "[MASK]", "[PAD]", "[RESERVED]", "[UNK]"]
"""The special tokens of HyenaDNA and Caduceus, before A, C, G, T, N."""
CODONS = ["".join(bases) for bases in product("ACGT", repeat=3)]
EACH = split(".", "Isolated", "Regex")


def words(tokens: list[str], pre_tokenizer: Any, specials: list[str] = HYENA, **changes: Any) -> Document:
    """A file as Hugging Face writes it."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added(token, number) for number, token in enumerate(specials)],
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {token: number for number, token in enumerate([*specials, *tokens])},
            "unk_token": "[UNK]",
        },
        **changes,
    }


def codons(pre_tokenizer: Any, *others: str, **changes: Any) -> Document:
    return words([*CODONS, *others], pre_tokenizer, **changes)


def both_of(*parts: Any) -> Any:
    return {"type": "Sequence", "pretokenizers": list(parts)}


def fixed(length: int) -> Any:
    return {"type": "FixedLength", "length": length}


SPACES = {"type": "WhitespaceSplit"}
LOWER = {"type": "Lowercase"}

SUPPORTED: dict[str, Document] = {
    "HyenaDNA": words([*"ACGTN"], EACH),
    "bases by an empty string": words([*"ACGTN"], split("", "Isolated")),
    "bases, all else in runs": words([*"ACGTN"], split("[ACGTN]", "Isolated", "Regex")),
    "bases, all else goes": words([*"ACGTN"], split("[ACGTN]", "Removed", "Regex", invert=True)),
    "bases, N goes": words([*"ACGT"], both_of(EACH, split("N", "Removed"))),
    "bases in fixed length": words([*"ACGTN"], fixed(1)),
    "bases between spaces": words([*"ACGTN"], SPACES),
    "bases, spaces go": words([*"ACGTN"], both_of(SPACES, split("", "Isolated"))),
    "bases of words": words([*"ACGTN"], both_of({"type": "Whitespace"}, EACH)),
    "bases, a pair goes": words([*"ACGTN"], both_of(split("AC", "Removed"), EACH)),
    "bases of pairs": words([*"ACGTN"], both_of(split("[ACG]{2}", "Removed", "Regex", invert=True), EACH)),
    "lower-case bases": words([*"acgtn"], EACH, normalizer=LOWER),
    "bases and what else there is": words([*"ACGTN.P ", "é", "\n"], EACH),
    "the unknown word is N": words([*"ACGTN"], EACH),
    "bases and a template": words(
        [*"ACGTN"], EACH, post_processor=template([around("x"), WHOLE, around("y")], x=[2], y=[1])
    ),
    "any three": codons(split(".{3}", "Isolated", "Regex")),
    "three points": codons(split("...", "Isolated", "Regex")),
    "up to three": codons(split(".{1,3}", "Isolated", "Regex"), "A", "C", "G", "T", "N"),
    "three bases": codons(split("[ACGTN]{3}", "Isolated", "Regex"), "NNN", "AAN"),
    "three bases, the rest goes": codons(split("[ACGTN]{3}", "Removed", "Regex", invert=True)),
    "three bases go": codons(split("[ACGT]{3}", "Removed", "Regex"), "A", "AC"),
    "three bases together": codons(split("[ACGT]{3}", "Contiguous", "Regex"), "ACGACG"),
    "three bases with those before": codons(split("A[CGT]{2}", "MergedWithPrevious", "Regex"), "NACG"),
    "three bases with those behind": codons(split("A[CGT]{2}", "MergedWithNext", "Regex"), "ACGN"),
    "three bases or one character": codons(split(r"[ACGT]{3}|[\s\S]", "Isolated", "Regex"), *"ACGTN"),
    "word characters": codons(split(r"\w{3}", "Isolated", "Regex")),
    "no spaces": codons(both_of(split(r"\s+", "Removed", "Regex"), split(r"\S{3}", "Isolated", "Regex"))),
    "a codon and what follows": codons(split("ATG[ACGT]{3,}|[ACGT]{3}", "Isolated", "Regex"), "ATGACG"),
    "fixed length": codons(fixed(3), "A", "AC"),
    "fixed lengths": codons(both_of(fixed(4), fixed(3)), "A"),
    "between spaces": codons(SPACES),
    "words and punctuation": codons({"type": "Whitespace"}, "-", "A-C"),
    "between bars": codons({"type": "CharDelimiterSplit", "delimiter": "|"}),
    "lower-case codons": words(
        [codon.lower() for codon in CODONS], split(".{3}", "Isolated", "Regex"), normalizer=LOWER
    ),
    "RNA": codons(fixed(3), normalizer=replace("U", "T")),
    "stripped": codons(fixed(3), normalizer={"type": "Sequence", "normalizers": [STRIP, replace("\n", "")]}),
    "a string": codons(split("ACG", "Isolated")),
    "added tokens": codons(
        fixed(3),
        added_tokens=[
            *(added(token, number) for number, token in enumerate(HYENA)),
            added("<x>", 71),
            added("<l>", 72, lstrip=True),
            added("<Acg>", 73, normalized=True, special=False),
        ],
        normalizer=replace("g", "A"),
    ),
    "six": words(["".join(six) for six in product("AC", repeat=6)], split("[ACGT]{6}", "Isolated", "Regex")),
}
SUPPORTED["the unknown word is N"]["model"]["unk_token"] = "N"

dna = st.lists(
    st.one_of(
        st.text("ACGT", max_size=12),
        st.sampled_from(["ATGACG", "N", "NNN", "\n\n", " ", "acg", "[UNK]", "[CLS]", "x", "--", "|", "\t"]),
    ),
    max_size=8,
).map("".join)

_LOADED: dict[str, tuple[Any, Any]] = {}


def both(name: str) -> tuple[Any, Any]:
    """The same file in Hugging Face and in genotok."""
    if name not in _LOADED:
        text = json.dumps(SUPPORTED[name])
        _LOADED[name] = HuggingFaceTokenizer.from_str(text), genotok.Tokenizer.from_json(text)
    return _LOADED[name]


@pytest.mark.parametrize("name", SUPPORTED)
@settings(max_examples=120)
@given(text=st.one_of(dna, texts))
def test_ids_and_places_are_those_of_hugging_face(name: str, text: str) -> None:
    rival, loaded = both(name)
    if not text.isascii():
        try:
            loaded.encode(text)
        except genotok.SymbolError:
            return  # what a class of the file holds cannot be told
    ids = loaded.encode(text)
    found = rival.encode(text, add_special_tokens=False)
    assert ids == found.ids
    batch = loaded.encode_batch([text, "", text], offsets=True)
    assert list(batch) == [found.ids, [], found.ids]
    spans = [tuple(span) for span in batch.spans.tolist()]
    assert spans == [*found.offsets, *found.offsets]
    assert list(loaded.count_tokens([text])) == [len(found.ids)]
    assert list(loaded.encode_batch([text], add_special_tokens=True)) == [rival.encode(text).ids]


@pytest.mark.parametrize("name", SUPPORTED)
@given(text=st.text("ACGTNacgtn \nx", max_size=30))
def test_upper_casing_is_that_of_the_text(name: str, text: str) -> None:
    rival, loaded = both(name)
    upper = rival.encode(text.upper(), add_special_tokens=False).ids
    assert list(loaded.encode_batch([text], uppercase=True)) == [upper]


@pytest.mark.parametrize("name", SUPPORTED)
def test_the_file_keeps_its_meaning(name: str) -> None:
    rival, loaded = both(name)
    again = HuggingFaceTokenizer.from_str(loaded.to_json())
    assert again.get_vocab() == rival.get_vocab() == loaded.vocab
    assert json.loads(again.to_str()) == json.loads(rival.to_str())
    assert genotok.Tokenizer.from_json(loaded.to_json()) == loaded
    with pytest.raises(genotok.GenotokError):
        loaded.truncate(9)


def test_single_bases_have_an_automaton_and_codons_say_why_not() -> None:
    for name in ("HyenaDNA", "bases, spaces go", "lower-case bases"):
        assert both(name)[1].automaton_size() is not None, name
        assert both(name)[1].why_no_automaton() is None
    assert both("any three")[1].why_no_automaton() == "its words are looked up one by one"


def test_a_long_sequence_with_rare_symbols_is_the_same() -> None:
    """The quick way gives over to the exact one where a symbol's neighbours matter."""
    text = ("ACGTN" * 5000 + "xx\n\n" + "acgt" * 100 + "ACGT" * 20_000) * 2
    for name in ("HyenaDNA", "bases, all else in runs", "bases, all else goes", "lower-case bases"):
        rival, loaded = both(name)
        assert loaded.encode(text) == rival.encode(text).ids, name


def test_codons_without_spaces_are_one_unknown_word() -> None:
    """As Hugging Face has it; every base of it counts as unknown, so that reports and policies see it."""
    batch = both("between spaces")[1].encode_batch(["ACGACG", "ACG ACG"])
    assert list(batch) == [[6], [13, 13]]
    assert batch.unknown == 6


REFUSED: dict[str, tuple[Document, str]] = {
    "English": (words([*"ACGT", "the"], SPACES), 'the word "the", which is no k-mer'),
    "a long word": (words([*"ACGT", "A" * 65], SPACES), "no k-mer of up to 64 bases"),
    "no bases": (words(["N", "."], EACH), "no word of bases"),
    "uncut": (words([*"ACGT"], None), "no pre_tokenizer"),
    "Metaspace": (
        words(
            [*"ACGT"], {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always", "split": True}
        ),
        "Metaspace",
    ),
    "a group": (words([*"ACGT"], split("(AC)+", "Isolated", "Regex")), "(AC)+"),
    "look-behind": (words([*"ACGT"], split("(?<=A)C", "Isolated", "Regex")), "pattern"),
    "a bomb": (words([*"ACGT"], split("(A+)+$", "Isolated", "Regex")), "pattern"),
    "a long bomb": (words([*"ACGT"], split("A{1,60}" * 60, "Isolated", "Regex")), "pattern"),
    "everything goes": (words([*"ACGT"], split("", "Removed", invert=True)), "removes everything"),
    "no length": (words([*"ACGT"], fixed(0)), "FixedLength"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_files_are_refused_by_name(name: str) -> None:
    made, reason = REFUSED[name]
    with pytest.raises(genotok.VocabularyError) as refused:
        genotok.Tokenizer.from_json(json.dumps(made))
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_files_report_the_symbols_of_the_vocabulary(tmp_path: Any) -> None:
    (tmp_path / "g.fa").write_text(">r\nACGACGTTTNNN\n>s\nACGACGTTT\n")
    reader = both("three bases")[1].encode_files(tmp_path / "g.fa", unknown="split")
    rows = [list(row) for batch in reader for row in batch.input_ids]
    assert rows == [[13, 13, 70, 71], [13, 13, 70]]
    assert reader.report()["unknown"] == {}
