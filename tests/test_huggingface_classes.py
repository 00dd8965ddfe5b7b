"""Tokenizers to and from the classes of Hugging Face."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as HuggingFaceTokenizer

import genotok
from tests.support.foreign import SUPPORTED

TEXT = "ACGTNNACGTAAAAA-NacgtAC"


def load(name: str) -> Any:
    return genotok.Tokenizer.from_json(json.dumps(SUPPORTED[name]))


@pytest.mark.parametrize(
    "name", ["plain", "GENA-LM", "METAGENE-1", "lower case", "ids in no order", "ByteLevel"]
)
def test_a_fast_tokenizer_gives_equal_ids(name: str) -> None:
    pytest.importorskip("transformers")
    tokenizer = load(name)
    fast = tokenizer.to_hf()
    # (Tokens that get a role are special from then on: METAGENE-1's file has them in its vocabulary only.)
    assert fast(TEXT, add_special_tokens=False)["input_ids"] == tokenizer.encode(TEXT)
    assert genotok.Tokenizer.from_hf(fast).encode(TEXT) == tokenizer.encode(TEXT)


def test_roles_are_given_by_name() -> None:
    pytest.importorskip("transformers")
    fast = load("GENA-LM").to_hf()
    assert (fast.unk_token, fast.cls_token, fast.sep_token) == ("[UNK]", "[CLS]", "[SEP]")
    assert (fast.pad_token_id, fast.mask_token_id, fast.bos_token) == (3, 4, None)
    assert fast.model_max_length > 10**20
    assert load("the unknown token is N").to_hf().unk_token == "[UNK]"


def test_from_hf_takes_objects_and_paths(tmp_path: Path) -> None:
    text = json.dumps(SUPPORTED["plain"])
    ids = load("plain").encode(TEXT)
    (tmp_path / "tokenizer.json").write_text(text)
    for source in (HuggingFaceTokenizer.from_str(text), tmp_path, tmp_path / "tokenizer.json", str(tmp_path)):
        assert genotok.Tokenizer.from_hf(source).encode(TEXT) == ids


def test_from_hf_keeps_truncation_and_padding_and_does_not_apply_them() -> None:
    rival = HuggingFaceTokenizer.from_str(json.dumps(SUPPORTED["plain"]))
    rival.enable_truncation(4)
    rival.enable_padding(length=100)
    loaded = genotok.Tokenizer.from_hf(rival)
    assert loaded.encode(TEXT) == load("plain").encode(TEXT)
    again = HuggingFaceTokenizer.from_str(loaded.to_json())
    assert (again.truncation, again.padding) == (rival.truncation, rival.padding)


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(genotok.ArgumentError, match="x=int"):
        genotok.Tokenizer.from_hf(7)
    with pytest.raises(FileNotFoundError):
        genotok.Tokenizer.from_hf(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes(b"\xff\xfe")
    with pytest.raises(genotok.VocabularyError, match="not text"):
        genotok.Tokenizer.from_hf(tmp_path)


def test_without_transformers_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match="pip install transformers"):
        load("plain").to_hf()


def test_k_mers_go_where_they_can_be_expressed_and_say_so_where_not() -> None:
    pytest.importorskip("transformers")
    for kmers in (genotok.Tokenizer.kmer(6, overlap=False), genotok.Tokenizer.kmer(1)):
        fast = kmers.to_hf()
        for sequence in ("ACGTACGTACGTA", "ACGTNNACGTAC", "A", ""):
            assert fast.encode(sequence, add_special_tokens=False) == kmers.encode(sequence)
    with pytest.raises(genotok.VocabularyError, match="these k-mers overlap, and their tokens cannot"):
        genotok.Tokenizer.kmer(6, overlap=True).to_hf()
    with pytest.raises(genotok.VocabularyError, match="these k-mers are canonical"):
        genotok.Tokenizer.kmer(3, overlap=False, canonical=True).to_hf()
