"""Encoding: time and peak memory by size of the input, of the vocabulary, of sequences, and by threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.encode import GEMS, NO_N, PYTHON_OBJECTS, TIKTOKEN
from benchmarks.encoders import Job
from benchmarks.results import Case
from benchmarks.studies.bench import seconds_in_children
from benchmarks.studies.points import EVERYTHING, points
from benchmarks.train import CUT, OURS, RIVAL, VOCAB_SIZE

if TYPE_CHECKING:
    from benchmarks.studies.bench import Bench
    from benchmarks.studies.conftest import Genomes

pytestmark = pytest.mark.benchmark(timer=seconds_in_children)

EVERYBODY = {OURS: EVERYTHING, GEMS: EVERYTHING, TIKTOKEN: EVERYTHING, RIVAL: EVERYTHING}
CAVEATS = f"{NO_N}{PYTHON_OBJECTS}Peak memory is of the whole process, with its input."


@pytest.mark.parametrize(
    ("megabases", "engine"),
    points([1, 4, 16, 64], {OURS: EVERYTHING, GEMS: EVERYTHING, TIKTOKEN: (1, 16), RIVAL: (1, 16)}),
)
def test_encode_by_input_size(bench: Bench, genomes: Genomes, megabases: int, engine: str) -> None:
    """How time grows with one long string."""
    sequence = genomes.simulated(megabases * 1_000_000)
    caveats = f"One string of simulated DNA, {VOCAB_SIZE:,} tokens, 1 thread. {CAVEATS}"
    case = Case("Encoding by size of the input", f"{megabases} Mb", len(sequence), caveats)
    source = genomes.lines(sequence, None)
    bench.encode(case, Job(engine, "sequences", genomes.tokenizer(VOCAB_SIZE), source))


@pytest.mark.parametrize(("vocab_size", "engine"), points([256, 1024, 4096, 32_768], EVERYBODY))
def test_encode_by_vocabulary_size(bench: Bench, genomes: Genomes, vocab_size: int, engine: str) -> None:
    """What a larger vocabulary costs."""
    sequence = genomes.chromosome()
    caveats = f"E. coli in windows of 1,000 bases, 1 thread. {CAVEATS}"
    case = Case("Encoding by size of the vocabulary", f"{vocab_size:,} tokens", len(sequence), caveats)
    source = genomes.lines(sequence, CUT)
    bench.encode(case, Job(engine, "sequences", genomes.tokenizer(vocab_size), source))


@pytest.mark.parametrize(
    ("threads", "engine"), points([1, 2], {OURS: EVERYTHING, TIKTOKEN: EVERYTHING, RIVAL: EVERYTHING})
)
def test_encode_by_threads(bench: Bench, genomes: Genomes, threads: int, engine: str) -> None:
    """What a second thread helps."""
    sequence = genomes.chromosome()
    caveats = f"E. coli in windows of 1,000 bases, {VOCAB_SIZE:,} tokens. {CAVEATS}"
    case = Case("Encoding by threads", f"{threads} thread{'s' * (threads > 1)}", len(sequence), caveats)
    source = genomes.lines(sequence, CUT)
    bench.encode(case, Job(engine, "sequences", genomes.tokenizer(VOCAB_SIZE), source, threads))


@pytest.mark.parametrize(
    ("length", "engine"),
    points({"100": 100, "500": 500, "1000": 1000, "100000": 100_000, "whole": 10**9}, EVERYBODY),
)
def test_encode_by_sequence_length(bench: Bench, genomes: Genomes, length: str, engine: str) -> None:
    """Reads, windows and chromosomes, the same bases in all."""
    sequence = genomes.chromosome()
    bases = None if length == "whole" else int(length)
    title = "whole chromosome" if bases is None else f"{bases:,} bases"
    caveats = f"E. coli in pieces, {VOCAB_SIZE:,} tokens, 1 thread. {CAVEATS}"
    case = Case("Encoding by length of sequences", title, len(sequence), caveats)
    source = genomes.lines(sequence, bases)
    bench.encode(case, Job(engine, "sequences", genomes.tokenizer(VOCAB_SIZE), source))
