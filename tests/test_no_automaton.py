"""Vocabularies without an encoding automaton: they say why, and a word is said where it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as HuggingFaceTokenizer

import genotok
from genotok.dataset import slowness
from genotok.dataset.encode import encode
from tests.support import huggingface
from tests.support.foreign import MERGES, base, document

ORDER = "its merges are in an order that no training makes"


def large() -> dict[str, Any]:
    """All 2-, 4- and 8-mers."""
    halves = [["".join(bases) for bases in product("ACGT", repeat=length)] for length in (1, 2, 4)]
    return document("ACGT", [pair for half in halves for pair in product(half, half)])


def shuffled() -> str:
    return json.dumps(base(model={"merges": [list(pair) for pair in reversed(MERGES)]}))


def test_too_many_tokens_are_told() -> None:
    text = json.dumps(large())
    loaded = genotok.Tokenizer.from_json(text)
    reason = "it has 65812 symbols and merges, and an automaton has up to 65532"
    assert loaded.automaton_size() is None
    assert loaded.why_no_automaton() == reason
    rival = HuggingFaceTokenizer.from_str(text)
    assert loaded.encode("ACGTTGCAATTGC") == huggingface.encode(rival, "ACGTTGCAATTGC")


def test_tokens_that_are_too_long_are_told() -> None:
    doubling = document("ACGT", [("A" * 2**power, "A" * 2**power) for power in range(17)])
    loaded = genotok.Tokenizer.from_json(json.dumps(doubling))
    assert loaded.why_no_automaton() == (
        "its longest token has 131072 symbols, and those of an automaton have up to 65535"
    )


def test_an_order_that_no_training_makes_is_told() -> None:
    assert genotok.Tokenizer.from_json(shuffled()).why_no_automaton() == ORDER


def test_steps_follow_the_rule_where_ranks_fall() -> None:
    """(AC, G) has rank 0, and (A, C), which makes it possible, rank 1."""
    loaded = genotok.Tokenizer.from_json(json.dumps(document("ACGT", [("AC", "G"), ("A", "C")])))
    assert loaded.why_no_automaton() == ORDER
    steps = loaded.explain("ACGT")
    assert [step["rank"] for step in steps] == [None, 1, 0]
    assert [step["tokens"] for step in steps] == [["A", "C", "G", "T"], ["AC", "G", "T"], ["ACG", "T"]]
    for text in ("ACG[UNK]ACGACG", "GACG[UNK]TAC"):
        ids = [loaded.token_to_id(token) for token in loaded.explain(text)[-1]["tokens"]]
        assert ids == loaded.encode(text)


def test_what_is_fast_gives_no_reason() -> None:
    assert genotok.Tokenizer.from_json(json.dumps(base())).why_no_automaton() is None
    assert genotok.Tokenizer.kmer(6).why_no_automaton() is None


def test_much_text_is_warned_of() -> None:
    loaded = genotok.Tokenizer.from_json(shuffled())
    with pytest.warns(genotok.GenotokWarning, match=ORDER):
        loaded.encode_batch(["-" * (1 << 24)])


def test_a_large_file_is_warned_of_once(tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">r\nA" + "-" * (1 << 25) + "\n")
    loaded = genotok.Tokenizer.from_json(shuffled())
    reader = loaded.encode_files(tmp_path / "g.fa", window=1 << 20, allow_unknown=1.0)
    with pytest.warns(genotok.GenotokWarning, match=ORDER) as warned:
        for _ in reader:
            pass
    assert len(warned) == 1


def test_writing_and_embedding_warn_before_they_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "g.fa").write_text(">r\nACGT\n")
    loaded = genotok.Tokenizer.from_json(shuffled())
    encode(loaded, tmp_path / "g.fa", tmp_path / "small.arrow")  # nothing to say
    monkeypatch.setattr(slowness, "LARGE", 5)
    with pytest.warns(genotok.GenotokWarning, match=ORDER):
        encode(loaded, tmp_path / "g.fa", tmp_path / "large.arrow")
    encode(genotok.Tokenizer.kmer(3), tmp_path / "g.fa", tmp_path / "fast.arrow")


def test_the_commands_say_it_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(shuffled())
    (tmp_path / "g.fa").write_text(">r\nA" + "-" * (1 << 24) + "\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "genotok", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    done = run("encode", "g.fa", "-t", "tokenizer.json", "-o", "g.arrow", "--allow-unknown", "1")
    notes = [line for line in done.stderr.splitlines() if "note" in line]
    assert notes == [f"genotok: note: encoding without an automaton is slow: {ORDER}"]
    assert json.loads(run("info", "tokenizer.json", "--json").stdout)["why_no_automaton"] == ORDER
    assert f"none, so that encoding is slow: {ORDER}" in run("info", "tokenizer.json").stdout
