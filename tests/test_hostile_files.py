"""Damaged and malicious tokenizer.json files: each is an error or loads correctly, in bounded time."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFaceTokenizer

import genotok
from tests.support import huggingface
from tests.support.foreign import SUPPORTED, WHOLE, added, around, base, document, replace, split, template

PATIENCE = 20.0
"""Seconds for what takes one or two: machines and builds differ."""


def load(text: str) -> Any:
    """Load, in time; an error is one short line."""
    start = time.monotonic()
    try:
        return genotok.Tokenizer.from_json(text)
    except genotok.VocabularyError as error:
        return _short(error)
    finally:
        assert time.monotonic() - start < PATIENCE


def staircase(steps: int) -> str:
    """Tokens, each one base longer than the one before."""
    return json.dumps(document("ACGT", [("A" * length, "A") for length in range(1, steps)]))


def doubling(times: int) -> str:
    """Tokens, each twice as long as the one before."""
    return json.dumps(document("ACGT", [("A" * 2**power, "A" * 2**power) for power in range(times)]))


def large_vocabulary(size: int) -> str:
    """A million entries that no merge makes."""
    made = base()
    made["model"]["vocab"].update(
        {f"token{number}": number for number in range(len(made["model"]["vocab"]), size)}
    )
    return json.dumps(made)


def many_specials(count: int) -> str:
    made = base()
    first = len(made["model"]["vocab"])
    made["added_tokens"] += [added(f"<{number}>", first + number) for number in range(count)]
    return json.dumps(made)


def chain(*pairs: tuple[str, str], times: int) -> str:
    """Replacements, again and again."""
    steps = [replace(*pair) for pair in pairs] * times
    return json.dumps(base(normalizer={"type": "Sequence", "normalizers": steps}))


def word_level(pattern: str) -> str:
    """A vocabulary of bases with a pre-tokenizer of this expression."""
    made = base(pre_tokenizer=split(pattern, "Isolated", "Regex"))
    made["model"] = {"type": "WordLevel", "vocab": {"A": 0, "C": 1, "[UNK]": 2}, "unk_token": "[UNK]"}
    made["added_tokens"] = []
    return json.dumps(made)


HOSTILE: dict[str, Callable[[], str]] = {
    "a staircase of tokens": lambda: staircase(6000),
    "tokens that double": lambda: doubling(20),
    "tokens that double beyond the limit": lambda: doubling(24),
    "a megabyte of a base": lambda: json.dumps(base(model={"unk_token": "A" * 1_000_000})),
    "a merge of a megabyte": lambda: json.dumps(base(model={"merges": [["A", "C" * 1_000_000]]})),
    "a string that is no id": lambda: json.dumps(base(model={"vocab": {"A": "5" * 1_000_000}})),
    "a million entries": lambda: large_vocabulary(1_000_000),
    "more than a million entries": lambda: large_vocabulary(1_100_000),
    "9,000 special tokens": lambda: many_specials(9_000),
    "100,000 special tokens": lambda: many_specials(100_000),
    "a huge id": lambda: json.dumps(base(model={"vocab": {"A": 2**31, "C": 2**32 - 1}, "merges": []})),
    "a list of millions": lambda: '{"model": {}, "x": [' + "0," * 5_000_000 + "0]}",
    "merges of millions": lambda: (
        '{"model": {"type": "BPE", "merges": [' + '["",""],' * 3_000_000 + '["",""]]}}'
    ),
    "lists in lists": lambda: '{"model": ' + "[" * 1_000_000,
    "70 megabytes": lambda: " " * 70_000_000 + "{}",
    "NaN": lambda: json.dumps(base(model={"dropout": float("nan")})),
    "a lone surrogate": lambda: json.dumps(base()).replace('"AN"', '"\\ud800"'),
    "a key twice": lambda: json.dumps(base()).replace(
        '"normalizer": null', '"normalizer": null, "normalizer": null'
    ),
    "replacements that double": lambda: chain(("A", "CC"), ("C", "AA"), times=16),
    "strings that double": lambda: chain(("AC", "GTGT"), ("GT", "ACAC"), times=16),
    "replacements that swap": lambda: chain(("A", "CC"), ("CC", "A"), times=100),
    "thousands of steps": lambda: chain(("A", "C"), ("C", "A"), times=5000),
    "much in front": lambda: json.dumps(base(normalizer={"type": "Prepend", "prepend": "A" * 1_000_000})),
    "a class of words": lambda: word_level("[ACGT]{64}X|" * 200 + "A"),
    "a bomb": lambda: word_level("(A+)+$"),
    "a long alternative": lambda: word_level("|".join(["A{60}C{60}"] * 60)),
    "many pre-tokenizers": lambda: json.dumps(
        base(pre_tokenizer={"type": "Sequence", "pretokenizers": [split("N", "Isolated")] * 20_000})
    ),
    "many pre-tokenizers of words": lambda: json.dumps(
        json.loads(word_level("."))
        | {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [split(".", "Isolated", "Regex")] * 20_000}}
    ),
    "a template of millions": lambda: json.dumps(
        base(post_processor=template([around("x")] * 1000 + [WHOLE], x=[1] * 10_000))
    ),
    "a Unigram of a million": lambda: json.dumps(
        {"model": {"type": "Unigram", "vocab": [["x", 0.5]] * 1_000_000}}
    ),
    "a cycle": lambda: json.dumps(base(model={"merges": [["A", "A"], ["AA", ""], ["", "AA"]]})),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_loaded_or_refused_in_time(name: str) -> None:
    loaded = load(HOSTILE[name]())
    if isinstance(loaded, genotok.VocabularyError):
        return
    start = time.monotonic()
    text = "ACGTNAAAAAAAAAAAAC" * 20
    assert loaded.encode(text)
    assert time.monotonic() - start < PATIENCE
    if loaded.vocab_size < 20_000:
        assert loaded.encode(text) == huggingface.encode(
            HuggingFaceTokenizer.from_str(loaded.to_json()), text
        )


def test_which_hostile_files_are_loaded() -> None:
    """Size alone is no reason to refuse."""
    for name in ("a staircase of tokens", "tokens that double", "a million entries", "9,000 special tokens"):
        assert not isinstance(load(HOSTILE[name]()), Exception), name


def test_no_hostile_file_takes_much_memory() -> None:
    """All of them, one after the other, in a separate process, within 1.5 GB."""
    if not os.path.exists("/proc/self/status"):
        pytest.skip("the peak memory of a process is known on Linux only")
    # Not `ru_maxrss`, which starts from the memory of the parent process.
    code = (
        "import re\n"
        "from tests.test_hostile_files import HOSTILE, load\n"
        "for name in HOSTILE:\n"
        "    loaded = load(HOSTILE[name]())\n"
        "    if not isinstance(loaded, Exception): loaded.encode('ACGT' * 100)\n"
        "    status = open('/proc/self/status').read()\n"
        "    print(int(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1]) // 1024, name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    peaks = [int(line.split()[0]) for line in done.stdout.splitlines()]
    assert len(peaks) == len(HOSTILE)
    assert max(peaks) < 1500, done.stdout


# -- mutations --------------------------------------------------------------------------------------

Path = tuple[Any, ...]

SPICE: list[Any] = [
    None, True, False, 0, 1, -1, 7, 2**31, 2**32, 2**70, 0.5, "", "A", "N", "AC", "[UNK]", "é", "▁", " ",
    [], {}, ["A"], ["A", "C"], ["AA", "N"], "Removed", "Whitespace", "ByteLevel", "[ACGT]", ".",
    {"type": "Whitespace"}, {"type": "Lowercase"}, {"String": "N"}, {"Regex": "N{2,}"},
]  # fmt: skip


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values in a document."""
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


def mutate(data: st.DataObject, made: dict[str, Any]) -> None:
    """Change one value: replace it, remove it, copy another one, duplicate it, or swap two."""
    paths = [path for path in places(made) if path]
    path = data.draw(st.sampled_from(paths), label="where")
    parent = made
    for key in path[:-1]:
        parent = parent[key]
    kind = data.draw(st.sampled_from(["replace", "remove", "copy", "double", "swap"]), label="what")
    if kind == "replace":
        parent[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(SPICE)))
    elif kind == "remove":
        del parent[path[-1]]
    elif kind == "copy":
        value: Any = made
        for key in data.draw(st.sampled_from(paths)):
            value = value[key]
        parent[path[-1]] = copy.deepcopy(value)
    elif isinstance(parent, list):
        other = data.draw(st.integers(0, len(parent) - 1))
        if kind == "double":
            parent.insert(other, copy.deepcopy(parent[path[-1]]))
        else:
            parent[path[-1]], parent[other] = parent[other], parent[path[-1]]
    else:
        other_key = data.draw(
            st.one_of(st.sampled_from(sorted(parent)), st.sampled_from(["R", "é", "GG", "CN", ""]))
        )
        parent[other_key] = copy.deepcopy(parent[path[-1]])


@settings(max_examples=1500)
@given(st.data())
def test_a_mutated_file_is_refused_or_agrees_with_hugging_face(data: st.DataObject) -> None:
    made = copy.deepcopy(SUPPORTED[data.draw(st.sampled_from(sorted(SUPPORTED)))])
    for _ in range(data.draw(st.integers(1, 3))):
        mutate(data, made)
    text = json.dumps(made)
    loaded = load(text)
    if isinstance(loaded, Exception):
        return
    assert genotok.Tokenizer.from_json(loaded.to_json()).vocab == loaded.vocab
    try:
        rival = HuggingFaceTokenizer.from_str(text)
    except Exception:  # noqa: BLE001  what Hugging Face cannot load has no ids to compare
        return
    again = HuggingFaceTokenizer.from_str(loaded.to_json())
    for sample in (
        "ACGTNNACGTAAAAA-N",
        " aAC\ngtT<x> é",
        "N" * 11 + "AC" * 3,
        data.draw(st.text("ACGTN-a ", max_size=30)),
    ):
        try:
            ids = loaded.encode(sample)
        except genotok.SymbolError as error:
            _assert_unsupported(error)
            continue
        assert ids == huggingface.encode(rival, sample) == huggingface.encode(again, sample)
        assert again.encode(sample).ids == rival.encode(sample).ids


def _assert_unsupported(error: genotok.SymbolError) -> None:
    """A character is refused for one of two reasons only."""
    assert "no unknown token" in str(error) or "outside ASCII" in str(error)


def _short(error: genotok.VocabularyError) -> genotok.VocabularyError:
    """The error, which is one short line."""
    assert "\n" not in str(error)
    assert len(str(error)) < 600
    return error
