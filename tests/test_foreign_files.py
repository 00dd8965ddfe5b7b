"""tokenizer.json files of other people: loaded with the ids that Hugging Face gives, or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from tokenizers import Tokenizer as HuggingFaceTokenizer

import genotok
from tests.support import huggingface
from tests.support.foreign import SUPPORTED, texts

_LOADED: dict[str, tuple[Any, Any]] = {}


def both(name: str) -> tuple[Any, Any]:
    """The same file in Hugging Face and in genotok."""
    if name not in _LOADED:
        text = json.dumps(SUPPORTED[name])
        _LOADED[name] = HuggingFaceTokenizer.from_str(text), genotok.Tokenizer.from_json(text)
    return _LOADED[name]


def assert_equal(rival: Any, loaded: Any, text: str) -> None:
    """Equal ids, unless ours are refused for characters outside ASCII."""
    try:
        ids = loaded.encode(text)
    except genotok.SymbolError as error:
        if text.isascii() or "outside ASCII" not in str(error):
            raise
        return
    assert ids == huggingface.encode(rival, text), text


@pytest.mark.parametrize("name", SUPPORTED)
@settings(max_examples=120)
@given(text=texts)
def test_a_supported_file_gives_equal_ids(name: str, text: str) -> None:
    rival, loaded = both(name)
    assert_equal(rival, loaded, text)


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_supported_file_keeps_its_meaning(name: str) -> None:
    """What is written back is the same to Hugging Face: vocabulary, ids of text, the template."""
    rival, loaded = both(name)
    again = HuggingFaceTokenizer.from_str(loaded.to_json())
    assert again.get_vocab() == rival.get_vocab() == loaded.vocab
    for text in ("", "ACGTNNACGTAAAAA-N", " acGTN\nAC<x> <l> AN[SEP]", "A" + "N" * 12 + "C"):
        for special in (False, True):
            assert (
                again.encode(text, add_special_tokens=special).ids
                == rival.encode(text, add_special_tokens=special).ids
            )
    assert genotok.Tokenizer.from_json(loaded.to_json()).to_json() == loaded.to_json()
