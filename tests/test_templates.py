"""Special tokens around sequences: in our own files, in earlier ones, and as Hugging Face puts them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer as HuggingFaceTokenizer

import genotok
from genotok import Tokenizer
from genotok.dataset import verify_file, verify_folder
from genotok.dataset.encode import encode
from genotok.model_folder.tokenizer_files import FolderTokenizer
from genotok.tokenizer.special_ids import SpecialIds
from tests.support.foreign import SUPPORTED, WHOLE, around, base, template

SEQUENCES = ("ACGTNNACGTAAAAA-NacgtAC", "GATTACA", "")
# What `Tokenizer.train` wrote before it wrote templates: the same bytes, to the line.
OLD_PROCESSOR = '  "post_processor": null,\n'


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    path.write_text(">r\nACGTTGCATTGGATCCAACGTTGCA\n")
    return path


@pytest.fixture(scope="module")
def trained(genome: Path) -> Tokenizer:
    return Tokenizer.train(genome, vocab_size=20)


def old_form(tokenizer: Tokenizer) -> str:
    """The file of a tokenizer as it was written before."""
    document = json.loads(tokenizer.to_json())
    opening, end = '  "post_processor": {', '\n  },\n  "decoder"'
    text = tokenizer.to_json()
    start = text.index(opening)
    stop = text.index(end, start) + len("\n  },\n")
    assert document["post_processor"]
    return text[:start] + OLD_PROCESSOR + text[stop:]


NAMES = {
    "byte pairs": lambda genome: Tokenizer.train(genome, vocab_size=20),
    "another order": lambda genome: Tokenizer.train(
        genome, vocab_size=20, special_tokens=["[SEP]", "[PAD]", "[CLS]", "[UNK]"]
    ),
    "cut": lambda genome: Tokenizer.train(genome, vocab_size=20).truncate(12),
    "6-mers": lambda _: Tokenizer.kmer(6, overlap=False),
    "bases": lambda _: Tokenizer.kmer(1),
    "k-mers without an end": lambda _: Tokenizer.kmer(
        2, overlap=False, special_tokens=["<unk>", "<cls>", "<pad>"]
    ),
    "k-mers of BERT's names": lambda _: Tokenizer.kmer(
        3, overlap=False, special_tokens=["[UNK]", "[CLS]", "[SEP]"], uppercase=True
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_hugging_face_puts_the_same_around_one_sequence_and_two(name: str, genome: Path) -> None:
    made = NAMES[name](genome)
    rival = HuggingFaceTokenizer.from_str(made.to_json())
    for one in SEQUENCES:
        assert list(made.encode_batch([one], add_special_tokens=True)) == [rival.encode(one).ids]
        assert made.encode(one) == rival.encode(one, add_special_tokens=False).ids
        special = SpecialIds.of(made) if "[MASK]" in made.vocab or "<mask>" in made.vocab else None
        for other in SEQUENCES:
            parts = [np.array(made.encode(text), np.int64) for text in (one, other)]
            if special:
                assert special.around(parts[0]).tolist() == rival.encode(one).ids
                assert special.around(*parts).tolist() == rival.encode(one, other).ids


def test_the_template_is_that_of_the_published_file(trained: Tokenizer) -> None:
    found = json.loads(trained.to_json())["post_processor"]
    special = [{"SpecialToken": {"id": f"[{name}]", "type_id": 0}} for name in ("CLS", "SEP")]
    first = {"Sequence": {"id": "A", "type_id": 0}}
    assert found["type"] == "TemplateProcessing"
    assert found["single"] == [special[0], first, special[1]]
    second = [
        {"Sequence": {"id": "B", "type_id": 1}},
        {"SpecialToken": {"id": "[SEP]", "type_id": 1}},
    ]
    assert found["pair"] == [special[0], first, special[1], *second]
    assert found["special_tokens"] == {
        f"[{name}]": {"id": f"[{name}]", "ids": [number], "tokens": [f"[{name}]"]}
        for name, number in (("CLS", 1), ("SEP", 2))
    }


def test_without_the_usual_tokens_there_is_no_template(genome: Path) -> None:
    for names in (["[UNK]"], ["[UNK]", "[CLS]"], ["<unk>", "<cls>", "<eos>"], []):
        bare = Tokenizer.train(genome, vocab_size=20, special_tokens=names)
        assert json.loads(bare.to_json())["post_processor"] is None
        assert (bare.template, len(bare.digests)) == (None, 1)
        with pytest.raises(genotok.ArgumentError, match=r"no \[CLS\] and \[SEP\]"):
            bare.encode_batch(["A"], add_special_tokens=True)


@pytest.mark.parametrize("name", NAMES)
def test_an_old_file_is_ours_and_stays_as_it_was(name: str, genome: Path, tmp_path: Path) -> None:
    new = NAMES[name](genome)
    text = old_form(new)
    old = Tokenizer.from_json(text)
    assert old.to_json() == text
    assert old.template is None
    assert old == Tokenizer.from_json(text) != new
    wanted = new.encode_batch(SEQUENCES, add_special_tokens=True)
    assert list(old.encode_batch(SEQUENCES, add_special_tokens=True)) == list(wanted)
    assert old.templates == new.templates
    old.save(tmp_path / "tokenizer.json")
    assert (tmp_path / "tokenizer.json").read_text() == text
    assert old._native.to_hugging_face_json() == new.to_json()
    assert old.digests == new.digests[::-1]
    assert old.digests[0] == hashlib.sha256(text.encode()).hexdigest()


OLD_FILE = """{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [
    {"id": 0, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true},
    {"id": 1, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true},
    {"id": 2, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true}
  ],
  "normalizer": {"type": "Sequence", "normalizers": [
    {"type": "Replace", "pattern": {"String": "a"}, "content": "A"},
    {"type": "Replace", "pattern": {"String": "c"}, "content": "C"},
    {"type": "Replace", "pattern": {"String": "g"}, "content": "G"},
    {"type": "Replace", "pattern": {"String": "t"}, "content": "T"}
  ]},
  "pre_tokenizer": null,
  "post_processor": null,
  "decoder": {"type": "Fuse"},
  "model": {
    "type": "BPE", "dropout": null, "unk_token": "[UNK]", "continuing_subword_prefix": null,
    "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
    "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "A": 3, "C": 4, "G": 5, "T": 6, "AC": 7},
    "merges": [["A", "C"]]
  }
}
"""


def test_a_file_of_an_earlier_version() -> None:
    old = Tokenizer.from_json(OLD_FILE)
    assert list(old.encode_batch(["acgT"], add_special_tokens=True)) == [[1, 7, 5, 6, 2]]
    assert json.loads(old.to_json())["post_processor"] is None
    rival = HuggingFaceTokenizer.from_str(old._native.to_hugging_face_json())
    assert rival.encode("acgT", "A").ids == [1, 7, 5, 6, 2, 3, 2]
    # One that differs in anything else is somebody else's, and Hugging Face adds nothing.
    foreign = Tokenizer.from_json(OLD_FILE.replace('"fuse_unk": false', '"fuse_unk": true'))
    assert foreign.template == ([], [])
    assert list(foreign.encode_batch(["acgT"], add_special_tokens=True)) == [[7, 5, 6]]
    assert len(foreign.digests) == 1


def test_k_mers_without_a_file_of_hugging_face_keep_what_they_put() -> None:
    for k, overlap, canonical, wanted in (
        (3, True, False, [2, 5, 3]),  # DNABERT: [CLS] AAA [SEP]
        (3, True, True, [2, 23, 3]),
        (3, False, True, [3, 22]),  # Nucleotide Transformer: <cls> AAA
    ):
        kmers = Tokenizer.kmer(k, overlap=overlap, canonical=canonical)
        assert list(kmers.encode_batch(["AAA"], add_special_tokens=True)) == [wanted]
        assert kmers.template is None
        assert len(kmers.digests) == 1
        assert "post_processor" not in json.loads(kmers.to_json())


def test_old_tokens_and_their_tokenizer_in_either_form_belong_together(genome: Path, tmp_path: Path) -> None:
    new = Tokenizer.train(genome, vocab_size=20)
    old = Tokenizer.from_json(old_form(new))
    other = Tokenizer.train(genome, vocab_size=19)
    for place, made in (("old", old), ("new", new)):
        encode(made, [genome], f"{tmp_path / place}/", format="arrow")
        encode(made, [genome], tmp_path / f"{place}.arrow", format="arrow")
        for same in (old, new):
            assert list(verify_folder(tmp_path / place, against=same)) == []
            assert list(verify_file(tmp_path / f"{place}.arrow", against=same)) == []
        assert "another tokenizer" in " ".join(verify_folder(tmp_path / place, against=other))
        assert "another tokenizer" in " ".join(verify_file(tmp_path / f"{place}.arrow", against=other))
    # A new model gets today's form, whichever form its tokens were encoded with.
    assert (
        FolderTokenizer(old, SpecialIds.of(old)).self_contained()
        == new
        == FolderTokenizer(new, SpecialIds.of(new)).self_contained()
    )


PAIRS: dict[str, Any] = {
    "Bert": base(
        post_processor={"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
    ),
    "Roberta": base(
        post_processor={
            "type": "RobertaProcessing",
            "sep": ["[SEP]", 2],
            "cls": ["[CLS]", 1],
            "trim_offsets": True,
            "add_prefix_space": False,
        }
    ),
    "bytes": base(post_processor={"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}),
    "nothing": base(),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_of_other_files_are_those_of_hugging_face(name: str) -> None:
    loaded, rival = (
        Tokenizer.from_json(json.dumps(PAIRS[name])),
        HuggingFaceTokenizer.from_str(json.dumps(PAIRS[name])),
    )
    parts = [np.array(loaded.encode(text), np.int64) for text in ("ACGTAC", "GA")]
    expected = rival.encode("ACGTAC", "GA")
    assert SpecialIds.of(loaded).around(*parts).tolist() == expected.ids
    assert loaded.templates.pair is not None
    types = [
        part.type
        for part in loaded.templates.pair
        for _ in range({"A": len(parts[0]), "B": len(parts[1]), None: 1}[part.sequence])
    ]
    assert types == expected.type_ids


def test_pairs_without_a_template_are_refused() -> None:
    inner = template([around("x"), WHOLE], x=[4])
    made = base(post_processor={"type": "Sequence", "processors": [inner, inner]})
    loaded = Tokenizer.from_json(json.dumps(made))
    parts = [np.array(loaded.encode(text), np.int64) for text in ("ACGTAC", "GA")]
    assert SpecialIds.of(loaded).around(parts[0]).tolist()[:2] == [4, 4]
    with pytest.raises(genotok.ArgumentError, match="two sequences"):
        SpecialIds.of(loaded).around(*parts)


@pytest.mark.parametrize("name", SUPPORTED)
def test_templates_agree_with_what_is_put_around_one_sequence(name: str) -> None:
    loaded = Tokenizer.from_json(json.dumps(SUPPORTED[name]))
    whole = [part.sequence for part in loaded.templates.single].index("A")
    ids = [part.id for part in loaded.templates.single]
    assert (ids[:whole], ids[whole + 1 :]) == loaded.template
