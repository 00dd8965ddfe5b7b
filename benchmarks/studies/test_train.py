"""Training: time and peak memory by size of the input, of the vocabulary, of words, and by threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.results import Case
from benchmarks.studies.bench import seconds_in_children
from benchmarks.studies.points import EVERYTHING, points
from benchmarks.train import CUT, OURS, RIVAL, VOCAB_SIZE

if TYPE_CHECKING:
    from benchmarks.studies.bench import Bench
    from benchmarks.studies.conftest import Genomes

pytestmark = pytest.mark.benchmark(timer=seconds_in_children)

PIECE_BPE, UNIGRAM = "SentencePiece bpe", "SentencePiece unigram"
THREADS = 2
TIMED = (
    "genotok's seconds hold opening and reading the FASTA file; those of the others hold training alone, on "
    "words that lie in memory as Python strings, which count in their peak memory."
)
CUT_WORDS = (
    " Sequence is cut into words of 1,000 bases for the sake of the others, which are slow on longer ones."
)


@pytest.mark.parametrize(
    ("megabases", "engine"),
    points([1, 4, 16, 64], {OURS: EVERYTHING, RIVAL: (4, 64), PIECE_BPE: (1, 4), UNIGRAM: (1, 4)}),
)
def test_train_by_input_size(bench: Bench, genomes: Genomes, megabases: int, engine: str) -> None:
    """How time grows with the input."""
    sequence = genomes.simulated(megabases * 1_000_000)
    caveats = f"Simulated DNA, {VOCAB_SIZE:,} tokens, {THREADS} threads. {TIMED}{CUT_WORDS}"
    case = Case("Training by size of the input", f"{megabases} Mb", len(sequence), caveats)
    bench.train(case, genomes.corpus(sequence, CUT), VOCAB_SIZE, (engine, THREADS))


@pytest.mark.parametrize(
    ("vocab_size", "engine"), points([256, 1024, 4096, 32_768], {OURS: EVERYTHING, RIVAL: EVERYTHING})
)
def test_train_by_vocabulary_size(bench: Bench, genomes: Genomes, vocab_size: int, engine: str) -> None:
    """How time grows with the vocabulary."""
    sequence = genomes.chromosome()
    caveats = f"E. coli, {THREADS} threads. {TIMED}{CUT_WORDS}"
    case = Case("Training by size of the vocabulary", f"{vocab_size:,} tokens", len(sequence), caveats)
    bench.train(case, genomes.corpus(sequence, CUT), vocab_size, (engine, THREADS))


@pytest.mark.parametrize(("threads", "engine"), points([1, 2], {OURS: EVERYTHING, RIVAL: EVERYTHING}))
def test_train_by_threads(bench: Bench, genomes: Genomes, threads: int, engine: str) -> None:
    """What a second thread helps."""
    sequence = genomes.chromosome()
    caveats = f"E. coli, {VOCAB_SIZE:,} tokens. {TIMED}{CUT_WORDS}"
    case = Case("Training by threads", f"{threads} thread{'s' * (threads > 1)}", len(sequence), caveats)
    bench.train(case, genomes.corpus(sequence, CUT), VOCAB_SIZE, (engine, threads))


@pytest.mark.parametrize(
    ("length", "engine"),
    points(
        {"100": 100, "500": 500, "1000": 1000, "100000": 100_000, "whole": 10**9},
        {OURS: EVERYTHING, RIVAL: (1000, 1000)},
    ),
)
def test_train_by_word_length(bench: Bench, genomes: Genomes, length: str, engine: str) -> None:
    """What long words cost: nothing here, their square there."""
    sequence = genomes.chromosome()
    word_length = None if length == "whole" else int(length)
    title = "whole chromosome" if word_length is None else f"{word_length:,} bases"
    caveats = (
        f"E. coli, {VOCAB_SIZE:,} tokens, {THREADS} threads. {TIMED} Hugging Face is quadratic in the length "
        "of words, and not asked for longer ones."
    )
    case = Case("Training by length of words", title, len(sequence), caveats)
    bench.train(case, genomes.corpus(sequence, word_length), VOCAB_SIZE, (engine, THREADS))
