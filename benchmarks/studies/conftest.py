"""What the studies read: the genomes of the repository, simulated DNA, a tokenizer of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.encode import Inputs
from benchmarks.engines import Corpus
from benchmarks.measure import ROOT
from benchmarks.results import Ledger
from benchmarks.studies.bench import Bench

if TYPE_CHECKING:
    from pathlib import Path

MAX_VOCAB = 32_768
SMOKE_DIVISOR = 100


class Genomes:
    """Sequence of any length, as strings and as files, and tokenizers; each made when first asked for.

    Args:
        folder: For the files.
        smoke: Divide all lengths by a hundred, to see that everything runs.
    """

    def __init__(self, folder: Path, *, smoke: bool) -> None:
        self._divisor = SMOKE_DIVISOR if smoke else 1
        self._inputs = Inputs(folder, [str(ROOT / "genomes" / "ecoli_k12_mg1655.fa")])
        self._simulated = ""
        self._files: dict[tuple[int, int | None], str] = {}
        self._tokenizers: dict[int, str] = {}

    def chromosome(self, bases: int | None = None) -> str:
        """The first bases of the chromosome of E. coli; all 4,641,652 of it."""
        sequence = self._inputs.sequence
        return sequence[: (len(sequence) if bases is None else bases) // self._divisor]

    def simulated(self, bases: int) -> str:
        """Simulated DNA with repeats; a shorter one is the beginning of a longer one."""
        from genotok import _native  # noqa: PLC0415

        bases //= self._divisor
        if len(self._simulated) < bases:
            self._simulated = "".join(
                _native.simulate(1_000_000, seed).decode("ascii") for seed in range(-(-bases // 1_000_000))
            )
        return self._simulated[:bases]

    def lines(self, sequence: str, length: int | None) -> str:
        """A file of sequences of so many bases, one a line; the last may be shorter."""
        key = (hash(sequence), length)
        if key not in self._files:
            step = length or len(sequence)
            pieces = [sequence[at : at + step] for at in range(0, len(sequence), step)]
            self._files[key] = self._inputs.lines(f"lines-{len(self._files)}", pieces)
        return self._files[key]

    def corpus(self, sequence: str, word_length: int | None) -> Corpus:
        """A FASTA file of one record, cut into words."""
        key = (hash(sequence), 0)
        if key not in self._files:
            self._files[key] = self._inputs.fasta(f"fasta-{len(self._files)}.fa", sequence)
        return Corpus((self._files[key],), word_length)

    def tokenizer(self, vocab_size: int) -> str:
        """The file of a tokenizer trained on all genomes of the repository."""
        import genotok  # noqa: PLC0415

        if not self._tokenizers:
            paths = sorted(map(str, (ROOT / "genomes").glob("*.fa")))
            self._largest = genotok.Tokenizer.train(paths, vocab_size=MAX_VOCAB)
        if vocab_size not in self._tokenizers:
            path = str(self._inputs.folder / f"tokenizer-{vocab_size}.json")
            self._largest.truncate(vocab_size).save(path)
            self._tokenizers[vocab_size] = path
        return self._tokenizers[vocab_size]


@pytest.fixture(scope="session")
def genomes(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Genomes:
    """What the studies read."""
    smoke = pytestconfig.getoption("benchmark_scale") == "smoke"
    return Genomes(tmp_path_factory.mktemp("studies"), smoke=smoke)


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """Where results go: the plugin writes them down at the end."""
    plugin: Any = pytestconfig.pluginmanager.get_plugin("genotok-studies")
    return Ledger() if plugin is None else plugin.ledger


@pytest.fixture
def bench(benchmark: Any, ledger: Ledger, tmp_path: Path) -> Bench:  # noqa: ANN401
    """Measures one point."""
    return Bench(benchmark, ledger, tmp_path)
