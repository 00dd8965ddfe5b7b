"""The tools that the benchmarks compare genotok with give what they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from benchmarks import measure
from benchmarks.child import ENCODERS
from benchmarks.encoders import Job, PythonEncoder
from benchmarks.engines import ENGINES, Corpus
from benchmarks.kmers import BIOPYTHON, NUMPY, PLAIN

from genotok import _native
from genotok.tokenizer import reference, reference_kmers
from tests.support import dna

if TYPE_CHECKING:
    from pathlib import Path

KMERS = ["AC", "GATTACA", "ACGTTGCAACGGTTACATTTTTTTTGATTACA" * 3, "A" * 40, "G"]


@pytest.mark.parametrize("name", ["genotok", PLAIN, NUMPY, BIOPYTHON])
@pytest.mark.parametrize("work", ["kmers", "kmers-apart", "kmers-canonical"])
@pytest.mark.parametrize("k", [1, 3, 6])
def test_every_way_to_cut_kmers_gives_the_ids_of_the_reference(
    tmp_path: Path, name: str, work: str, k: int
) -> None:
    assert not ENCODERS[name].lacks()
    sequences = [sequence for sequence in KMERS if len(sequence) >= k]
    source = tmp_path / "sequences"
    source.write_text("\n".join(sequences))
    encode, bytes_of = ENCODERS[name].prepare(Job(name, work, "", str(source), k=k))
    overlap, canonical = work != "kmers-apart", work == "kmers-canonical"
    right = [reference_kmers.encode(one, k, overlap=overlap, canonical=canonical) for one in sequences]
    ids = [
        [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]
        for data in bytes_of(encode())
    ]
    assert ids == right


@pytest.mark.parametrize("model", ["bpe", "unigram"])
def test_sentencepiece_learns_a_vocabulary_of_its_own(tmp_path: Path, model: str) -> None:
    engine = ENGINES[f"SentencePiece {model}"]
    assert engine.available()
    assert not engine.exact
    path = dna.write_fasta(tmp_path / "dna.fa", [_native.simulate(20_000, 5).decode()])
    made = engine.train(Corpus((path,), 500), 64, 1)
    assert made.merges == []
    assert made.seconds > 0
    assert 20 < len(made.tokens) <= 55
    assert all(len(token) > 1 and set(token) <= set("ACGT") for token in made.tokens)


def test_the_tokens_of_a_training_come_back_in_a_file(tmp_path: Path) -> None:
    corpus = Corpus((dna.write_fasta(tmp_path / "dna.fa", KMERS),), None)
    run = measure.train("genotok", corpus, 20, 1, tmp_path / "tokens")
    words = [word for sequence in KMERS for word in reference.words_of(sequence)]
    merges = reference.train(words, 20)
    assert run.merges_sha256 == measure.fingerprint(merges)
    assert (tmp_path / "tokens").read_text().split() == [left + right for left, right in merges]


def test_what_is_not_installed_says_so() -> None:
    class Absent(PythonEncoder):
        module = package = "no_such_package"

    assert Absent().lacks() == "the package no_such_package is not installed"
