"""k-mers: against the specification, against Hugging Face, and against what the published models do."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFace

import genotok
from genotok import Tokenizer
from genotok.cli.app import app
from genotok.tokenizer import reference_kmers
from tests.support import dna

ks = st.integers(1, 7)
texts = st.lists(
    st.tuples(dna.words, st.sampled_from(["", "N", "NNNNNNN", "n", "R", "é", " ", "\n", "-"]), st.booleans()),
    max_size=6,
).map(lambda parts: "".join((word.lower() if lower else word) + gap for word, gap, lower in parts))


# -- the specification ------------------------------------------------------------------------------


@pytest.mark.parametrize("overlap", [True, False])
@pytest.mark.parametrize("canonical", [True, False])
@pytest.mark.parametrize("k", range(1, 6))
def test_the_vocabulary_is_that_of_the_specification(k: int, overlap: bool, canonical: bool) -> None:
    tokenizer = Tokenizer.kmer(k, overlap=overlap, canonical=canonical)
    assert list(tokenizer.vocab) == reference_kmers.vocabulary(k, overlap=overlap, canonical=canonical)
    assert list(tokenizer.vocab.values()) == list(range(tokenizer.vocab_size))


@given(ks, st.booleans(), st.booleans(), texts)
def test_ids_equal_the_specification(k: int, overlap: bool, canonical: bool, text: str) -> None:
    tokenizer = Tokenizer.kmer(k, overlap=overlap, canonical=canonical)
    expected = reference_kmers.encode(text, k, overlap=overlap, canonical=canonical)
    assert tokenizer.encode(text) == expected
    batch = tokenizer.encode_batch([text, "", text])
    assert list(batch) == [expected, [], expected]
    assert list(tokenizer.count_tokens([text, ""])) == [len(expected), 0]


@given(st.integers(1, 12), st.booleans(), dna.words)
def test_decoding_gives_the_sequence_back(k: int, overlap: bool, sequence: str) -> None:
    tokenizer = Tokenizer.kmer(k, overlap=overlap)
    decoded = tokenizer.decode(tokenizer.encode(sequence))
    assert decoded == (sequence if not overlap or len(sequence) >= k else "")


@given(st.integers(1, 12), st.booleans(), st.booleans(), st.booleans(), texts)
def test_a_file_is_the_same_tokenizer(
    k: int, overlap: bool, canonical: bool, uppercase: bool, text: str
) -> None:
    if k > 6 and not (overlap or canonical):
        k = 9  # 7 and 8 have long lists
    tokenizer = Tokenizer.kmer(k, overlap=overlap, canonical=canonical, uppercase=uppercase)
    again = Tokenizer.from_json(tokenizer.to_json())
    assert again == tokenizer
    assert again.encode(text) == tokenizer.encode(text)


# -- Hugging Face -----------------------------------------------------------------------------------


@given(st.integers(1, 5), st.booleans(), st.booleans(), texts)
def test_hugging_face_gives_the_same_ids(k: int, single: bool, uppercase: bool, text: str) -> None:
    tokenizer = (
        Tokenizer.kmer(1, overlap=True, uppercase=uppercase)
        if single
        else Tokenizer.kmer(k, overlap=False, uppercase=uppercase)
    )
    rival = HuggingFace.from_str(tokenizer.to_json())
    found = rival.encode(text, add_special_tokens=False)
    assert tokenizer.encode(text) == found.ids
    spans = tokenizer.encode_batch([text], offsets=True).spans
    assert spans is not None
    assert [tuple(span) for span in spans.tolist()] == found.offsets
    assert rival.get_vocab_size() == tokenizer.vocab_size
    assert Tokenizer.from_json(rival.to_str()) == tokenizer


def test_special_tokens_in_text_are_found_by_both() -> None:
    tokenizer = Tokenizer.kmer(3, overlap=False, special_tokens=["[UNK]", "[SEP]"])
    text = "ACGT[SEP]ACGT[sep]N"
    assert tokenizer.encode(text) == HuggingFace.from_str(tokenizer.to_json()).encode(text).ids


def test_what_hugging_face_cannot_express_has_a_file_that_says_so() -> None:
    for tokenizer in (
        Tokenizer.kmer(3),
        Tokenizer.kmer(3, overlap=False, canonical=True),
        Tokenizer.kmer(12),
    ):
        assert json.loads(tokenizer.to_json())["format"] == "genotok k-mers"
        assert len(tokenizer.to_json()) < 1000
    with pytest.raises(genotok.VocabularyError, match="overlap"):
        Tokenizer.kmer(3)._native.to_hugging_face_json()


# -- the published models ---------------------------------------------------------------------------


def kmers_of(sequence: str, k: int) -> list[str]:
    """As `seq2kmer` of jerryji1993/DNABERT, motif/motif_utils.py, defines them."""
    return [sequence[at : at + k] for at in range(len(sequence) + 1 - k)]


@pytest.mark.parametrize("sequence", ["ACGTACGTTGCA", "ACGTNACGTA", "ACgtACGTA", "ACGTRYACGT", "AC", ""])
@pytest.mark.parametrize("k", [3, 4, 5, 6])
def test_dnabert(tmp_path: Path, k: int, sequence: str) -> None:
    """Its vocab.txt is the special tokens and the product of A, T, C, G; spaces part its k-mers."""
    transformers = pytest.importorskip("transformers")
    names = [*reference_kmers.DNABERT, *("".join(bases) for bases in product("ATCG", repeat=k))]
    (tmp_path / "vocab.txt").write_text("\n".join(names))
    published = transformers.BertTokenizer(str(tmp_path / "vocab.txt"), do_lower_case=False)
    expected = published.encode(" ".join(kmers_of(sequence, k)), add_special_tokens=False)
    assert Tokenizer.kmer(k).encode(sequence) == expected


@pytest.mark.parametrize(
    "sequence",
    [
        "ATCGAATGGCGATGCAC",
        "ATCGAATNGGCGATGCAC",
        "NNACGTAACGTAACGTAN",
        "ACGTA",
        "ATTCCGATTCCGATTCCGR",
        "N",
        "",
    ],
)
def test_nucleotide_transformer(tmp_path: Path, sequence: str) -> None:
    """The vocabulary of InstaDeepAI/nucleotide-transformer-v2 and the class that its model cards load."""
    transformers = pytest.importorskip("transformers")
    names = ["<unk>", "<pad>", "<mask>", "<cls>", *("".join(six) for six in product("ATCG", repeat=6))]
    names += ["A", "T", "C", "G", "N", "<eos>", "<bos>"]
    (tmp_path / "vocab.txt").write_text("\n".join(names))
    published = transformers.EsmTokenizer(str(tmp_path / "vocab.txt"), eos_token=None)
    expected = published.encode(sequence, add_special_tokens=False)
    assert Tokenizer.kmer(6, overlap=False).encode(sequence) == expected


# -- what cannot be ---------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 13, -1, 1 << 70])
def test_k_is_1_to_12(k: int) -> None:
    with pytest.raises(genotok.ArgumentError, match="k="):
        Tokenizer.kmer(k)


def test_a_special_token_is_no_kmer() -> None:
    with pytest.raises(genotok.ArgumentError, match="special_tokens"):
        Tokenizer.kmer(3, overlap=False, special_tokens=["N"])


# -- the command ------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The output of a command that succeeds."""
    with pytest.raises(SystemExit) as stop:
        app([*arguments])
    assert not stop.value.code
    return capsys.readouterr().out


def test_the_command_writes_the_tokenizer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "kmer6.json")
    assert "4,101 tokens, 6-mers overlapping" in run(capsys, "kmer", "-k", "6", "-o", path)
    assert Tokenizer.from_file(path) == Tokenizer.kmer(6)
    written = run(capsys, "kmer", "-k", "5", "--no-overlap", "--canonical", "-o", path, "--force", "--json")
    assert json.loads(written)["vocab_size"] == 4**5 // 2 + 2 + 1 + 6
    assert Tokenizer.from_file(path) == Tokenizer.kmer(5, overlap=False, canonical=True)
