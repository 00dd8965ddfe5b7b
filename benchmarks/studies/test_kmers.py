"""k-mers: genotok against what people write with plain Python, Biopython and NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.encoders import Job
from benchmarks.kmers import BIOPYTHON, NUMPY, PLAIN
from benchmarks.results import Case
from benchmarks.studies.bench import seconds_in_children
from benchmarks.studies.points import EVERYTHING, points
from benchmarks.train import OURS

if TYPE_CHECKING:
    from benchmarks.studies.bench import Bench
    from benchmarks.studies.conftest import Genomes

pytestmark = pytest.mark.benchmark(timer=seconds_in_children)

EVERYBODY = {OURS: EVERYTHING, NUMPY: EVERYTHING, PLAIN: EVERYTHING, BIOPYTHON: EVERYTHING}
BASES = 1_000_000
WAYS = {"kmers": "overlapping", "kmers-apart": "non-overlapping", "kmers-canonical": "canonical, overlapping"}
CAVEATS = (
    "The first million bases of E. coli as one string, 1 thread. Vocabularies and tables are made outside "
    "the timing. genotok and NumPy leave arrays, the others Python lists; only genotok looks for symbols "
    "that are no bases."
)


def measured(bench: Bench, genomes: Genomes, study: str, title: str, job: tuple[str, str, int]) -> None:
    """One way to cut, by one tool."""
    engine, work, k = job
    sequence = genomes.chromosome(BASES)
    case = Case(study, title, len(sequence), CAVEATS)
    bench.encode(case, Job(engine, work, "", genomes.lines(sequence, None), k=k))


@pytest.mark.parametrize(("k", "engine"), points([3, 6, 9], EVERYBODY))
def test_kmers_by_k(bench: Bench, genomes: Genomes, k: int, engine: str) -> None:
    """What longer k-mers cost."""
    measured(bench, genomes, "Overlapping k-mers by k", f"k = {k}", (engine, "kmers", k))


@pytest.mark.parametrize(("way", "engine"), points(dict.fromkeys(WAYS, 0), EVERYBODY))
def test_kmers_by_way(bench: Bench, genomes: Genomes, way: str, engine: str) -> None:
    """The three ways to cut."""
    measured(bench, genomes, "6-mers by the way they are cut", WAYS[way], (engine, way, 6))
