"""What a tokenizer.json says apart from ids: truncation and padding, special tokens, what stands around."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer as HuggingFaceTokenizer

import genotok
from genotok.tokenizer.special_ids import SpecialIds
from tests.support import huggingface
from tests.support.foreign import SPECIALS, SUPPORTED, WHOLE, Document, around, base, document, template
from tests.support.program import run

TEXT = "ACGTNNACGTAAAAA-NacgtAC"
TRUNCATION = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
PADDING = {
    "strategy": {"Fixed": 16},
    "direction": "Left",
    "pad_to_multiple_of": 8,
    "pad_id": 3,
    "pad_type_id": 0,
    "pad_token": "[PAD]",
}


def load(made: Document) -> Any:
    return genotok.Tokenizer.from_json(json.dumps(made))


# -- truncation and padding -------------------------------------------------------------------------


@pytest.mark.parametrize("padding", [None, PADDING, {**PADDING, "strategy": "BatchLongest"}])
@pytest.mark.parametrize("truncation", [None, TRUNCATION])
@pytest.mark.parametrize("name", ["plain", "GENA-LM", "METAGENE-1", "ids in no order"])
def test_truncation_and_padding_are_kept_and_not_applied(name: str, truncation: Any, padding: Any) -> None:
    made = SUPPORTED[name] | {"truncation": truncation, "padding": padding}
    loaded, rival = load(made), HuggingFaceTokenizer.from_str(json.dumps(made))
    assert (loaded.truncation, loaded.padding) == (truncation, padding)
    written = json.loads(loaded.to_json())
    assert (written["truncation"], written["padding"]) == (truncation, padding)
    again = HuggingFaceTokenizer.from_str(loaded.to_json())
    assert (again.truncation, again.padding) == (rival.truncation, rival.padding)
    rival.no_truncation()
    rival.no_padding()
    assert loaded.encode(TEXT) == huggingface.encode(rival, TEXT)
    whole = list(loaded.encode_batch([TEXT], add_special_tokens=True))
    assert whole == [rival.encode(TEXT).ids]


def test_info_tells_the_settings_and_that_they_are_not_applied(tmp_path: Path) -> None:
    made = base() | {"truncation": TRUNCATION, "padding": PADDING}
    (tmp_path / "tokenizer.json").write_text(json.dumps(made))
    told = " ".join(run("info", "tokenizer.json", folder=tmp_path).stdout.split())
    assert (
        "truncation direction Right, max_length 8, strategy LongestFirst, stride 0 (kept, not applied)"
        in told
    )
    assert 'strategy {"Fixed": 16}, direction Left, pad_to_multiple_of 8' in told


def test_our_own_files_keep_them_and_remain_our_own(tmp_path: Path) -> None:
    """What transformers writes back after use: trained tokenizers and k-mers, also cut to fewer tokens."""
    trained = genotok.Tokenizer.train(_fasta(tmp_path), vocab_size=20)
    for own in (trained, genotok.Tokenizer.kmer(3, overlap=False)):
        rival = HuggingFaceTokenizer.from_str(own.to_json())
        rival.enable_truncation(8)
        rival.enable_padding(length=16, pad_id=3)
        used = genotok.Tokenizer.from_json(rival.to_str())
        assert used.truncation == json.loads(rival.to_str())["truncation"]
        assert used.encode(TEXT) == own.encode(TEXT)
        assert used.template == own.template
        assert own.digests[1:]
        assert used.digests[1:], "it is not taken for one of ours"
        assert list(used.encode_batch(["AC"], add_special_tokens=True)) == list(
            own.encode_batch(["AC"], add_special_tokens=True)
        )
        assert genotok.Tokenizer.from_json(used.to_json()) == used != own
    cut = genotok.Tokenizer.from_json(json.dumps(json.loads(trained.to_json()) | {"padding": PADDING}))
    assert cut.truncate(12).padding == PADDING


@pytest.mark.parametrize(
    "wrong",
    [
        {"truncation": {"max_length": 5}},
        {"truncation": {**TRUNCATION, "strategy": "none"}},
        {"truncation": {**TRUNCATION, "max_length": -1}},
        {"truncation": "yes"},
        {"padding": {"strategy": "BatchLongest"}},
        {"padding": {**PADDING, "pad_id": "3"}},
        {"padding": {**PADDING, "strategy": {"Fixed": None}}},
        {"padding": [1]},
    ],
)
def test_malformed_settings_are_refused_by_both(wrong: Document) -> None:
    with pytest.raises(genotok.VocabularyError, match=next(iter(wrong))):
        load(base(**wrong))
    with pytest.raises(Exception):  # noqa: B017, PT011  Hugging Face has no class of its own
        HuggingFaceTokenizer.from_str(json.dumps(base(**wrong)))


# -- special tokens ---------------------------------------------------------------------------------

METAGENE = ["[PAD]", "[UNK]", "[SEP]", "[BOS]", "[EOS]", "[MASK]"]


def metagene() -> Document:
    """As METAGENE-1's: special tokens in the vocabulary only, and around a sequence by its template."""
    made = document("_ACGTN", [("T", "T"), ("C", "C"), ("A", "A"), ("T", "C"), ("TC", "C")], METAGENE)
    made["added_tokens"] = []
    made["pre_tokenizer"] = {"type": "Whitespace"}
    made["post_processor"] = template(
        [around("[BOS]"), WHOLE, around("[EOS]")], **{"[BOS]": [3], "[EOS]": [4]}
    )
    return made


def test_special_tokens_of_the_vocabulary_are_found() -> None:
    loaded, rival = load(metagene()), HuggingFaceTokenizer.from_str(json.dumps(metagene()))
    assert loaded.special_tokens == METAGENE
    for text in ("TTCCAATCC", "AN_X", "A[BOS]C", ""):
        assert loaded.encode(text) == huggingface.encode(rival, text)
        assert list(loaded.encode_batch([text], add_special_tokens=True)) == [rival.encode(text).ids]
    assert genotok.Tokenizer.from_json(loaded.to_json()).special_tokens == METAGENE


def test_a_model_can_be_made_for_them() -> None:
    special = SpecialIds.of(load(metagene()))
    assert (special.unknown, special.first, special.end, special.padding, special.mask) == (1, 3, 4, 0, 5)
    assert (special.before, special.behind, special.all) == ((3,), (4,), (0, 1, 2, 3, 4, 5))


def test_what_encoding_makes_is_not_special() -> None:
    assert not {f"<0x{byte:02X}>" for byte in range(256)} & set(
        load(SUPPORTED["byte fallback"]).special_tokens
    )
    made = document("ACGT[<]>", [("[", "A"), ("[A", "]"), ("<", "C"), ("<C", ">")])
    assert load(made).special_tokens == SPECIALS


def named() -> Document:
    """A vocabulary whose special tokens have names that nobody could know."""
    made = document("ACGT", [("A", "C")], ["unknown", "start", "end", "pad", "hidden", "more"])
    made["added_tokens"] = []
    made["model"]["unk_token"] = "unknown"
    return made


ROLES = {
    "unk_token": "unknown",
    "cls_token": "start",
    "sep_token": {"content": "end", "special": True},
    "pad_token": {"content": "pad", "lstrip": False},
    "mask_token": "hidden",
    "eos_token": "not in the vocabulary",
    "tokenizer_class": "PreTrainedTokenizerFast",
    "bos_token": None,
}


@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json"])
def test_roles_are_taken_from_the_files_beside(tmp_path: Path, name: str) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps(named()))
    assert genotok.Tokenizer.from_file(tmp_path / "tokenizer.json").special_tokens == []
    (tmp_path / name).write_text(json.dumps({**ROLES, "additional_special_tokens": ["more", "AC"]}))
    loaded = genotok.Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert loaded.special_tokens == ["unknown", "start", "end", "pad", "hidden", "more"]
    roles = {"unk": "unknown", "cls": "start", "sep": "end", "pad": "pad", "mask": "hidden"}
    assert loaded.special_roles == {f"{role}_token": token for role, token in roles.items()}
    assert SpecialIds.of(loaded).mask == 4
    for same in (
        pickle.loads(pickle.dumps(loaded)),
        genotok.Tokenizer.from_hf(tmp_path),
        loaded.truncate(11),
    ):
        assert same.special_tokens == loaded.special_tokens
    # Not of a file with another name, which they do not belong to.
    (tmp_path / "other.json").write_text(json.dumps(named()))
    assert genotok.Tokenizer.from_file(tmp_path / "other.json").special_tokens == []


def test_a_broken_file_beside_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps(named()))
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(genotok.VocabularyError, match=r"tokenizer_config\.json: "):
        genotok.Tokenizer.from_file(tmp_path / "tokenizer.json")


# -- around a sequence ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUPPORTED)
def test_special_tokens_are_added_where_hugging_face_adds_them(name: str) -> None:
    made = SUPPORTED[name]
    loaded, rival = load(made), HuggingFaceTokenizer.from_str(json.dumps(made))
    for text in ("ACGTAC", "", "ACNGT"):
        assert list(loaded.encode_batch([text], add_special_tokens=True)) == [rival.encode(text).ids]


def test_a_model_sees_what_hugging_face_adds() -> None:
    foreign = SpecialIds.of(load(SUPPORTED["plain"]))
    assert (foreign.before, foreign.behind, foreign.first, foreign.end) == ((), (), 1, 2)
    assert foreign.around(*[_ids([5, 6])]).tolist() == [5, 6]


def test_our_own_files_still_leave_it_to_the_names(tmp_path: Path) -> None:
    trained = genotok.Tokenizer.train(_fasta(tmp_path), vocab_size=20)
    trained.save(tmp_path / "tokenizer.json")
    loaded = genotok.Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert list(loaded.encode_batch(["", "A"], add_special_tokens=True)) == [[1, 2], [1, 5, 2]]
    special = SpecialIds.of(loaded)
    assert (special.before, special.behind) == ((1,), (2,))
    bare = genotok.Tokenizer.train(_fasta(tmp_path), vocab_size=20, special_tokens=["[UNK]"])
    with pytest.raises(genotok.ArgumentError, match=r"no \[CLS\] and \[SEP\]"):
        bare.encode_batch(["A"], add_special_tokens=True)


# -- other models -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "vocab"), [("Unigram", [["<unk>", 0.0], ["A", -2.0]]), ("WordPiece", {"A": 0})]
)
def test_other_models_are_refused_by_name(kind: str, vocab: Any) -> None:
    model = {"type": kind, "unk_id": 0, "vocab": vocab, "byte_fallback": False}
    for made in (base() | {"model": model}, {"model": {"vocab": vocab, "type": kind}}):
        with pytest.raises(
            genotok.VocabularyError, match=f"it is a {kind} model, which genotok does not read"
        ):
            load(made)


def _ids(numbers: list[int]) -> Any:
    return np.array(numbers)


def _fasta(folder: Path) -> Path:
    path = folder / "g.fa"
    path.write_text(">r\nACGTTGCATTGGATCCAACGTTGCA\n")
    return path
