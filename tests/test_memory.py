"""`memory`: work ends with one line rather than hold more than it may, and leaves nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import memory as benchmark
from benchmarks.memory import Outcome, write_fasta

import genotok
from genotok import _native
from genotok.corpus import pack
from genotok.embedding import Embedder, embed
from genotok.errors import ArgumentError, ResourceError

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system does not say what a process holds"
)

ENOUGH = 1 << 40
MEASURE = """\
import json, sys
from pathlib import Path
from benchmarks.memory import measured
print(json.dumps(measured(tuple(sys.argv[1:]), Path.cwd())))
"""


def _measured(arguments: tuple[str, ...], folder: Path) -> Outcome:
    """As `measured`, from a process that is small itself: a child's peak starts from its parent's memory."""
    root = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({root!r})\n{MEASURE}", *arguments],
        cwd=folder,
        capture_output=True,
        check=True,
        text=True,
    )
    return Outcome(*json.loads(done.stdout))


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One record of 100 million bases."""
    folder = tmp_path_factory.mktemp("memory")
    write_fasta(folder / "long.fa", 100_000_000)
    genotok.Tokenizer.kmer(1).save(folder / "tokenizer.json")
    return folder


def test_a_long_row_is_refused_before_it_exceeds_the_limit(genome: Path) -> None:
    output = ("-t", "tokenizer.json", "-o", "out.arrow")
    command = ("encode", "long.fa", *output, "--threads", "2", "--memory", "240M")
    outcome = _measured(command, genome)
    assert outcome.status == 1
    assert "cut long records into windows" in outcome.said
    assert "240000000 available" in outcome.said
    assert outcome.peak <= 240_000_000
    assert sorted(path.name for path in genome.iterdir()) == ["long.fa", "tokenizer.json"]
    outcome = _measured((*command, "--window", "1000"), genome)
    assert outcome.status == 0
    assert outcome.peak <= 240_000_000
    (genome / "out.arrow").unlink()


def test_too_little_is_said_before_anything_is_read(genome: Path, tmp_path: Path) -> None:
    tokenizer = genotok.Tokenizer.from_file(genome / "tokenizer.json")
    there = str(genome / "long.fa")
    with pytest.raises(ResourceError, match="1000000 available"):
        tokenizer.encode_files([there], memory=1_000_000)
    with pytest.raises(ResourceError, match="1000000 available"):
        pack([there], tmp_path / "out.pack", memory=1_000_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("memory", [0, -1, 1 << 70])
def test_a_limit_is_a_number_of_bytes(genome: Path, memory: int) -> None:
    tokenizer = genotok.Tokenizer.from_file(genome / "tokenizer.json")
    with pytest.raises(ArgumentError, match="memory="):
        tokenizer.encode_files([str(genome / "long.fa")], memory=memory)
    with pytest.raises(ArgumentError, match="memory="):
        _native.check_memory(memory, 0)


def test_enough_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">one\nACGTACGT\n")
    tokenizer = genotok.Tokenizer.kmer(3)
    limited, free = (
        [
            batch.input_ids.to_pylist()
            for batch in tokenizer.encode_files([str(tmp_path / "a.fa")], memory=memory)
        ]
        for memory in (ENOUGH, None)
    )
    assert limited == free
    pack([str(tmp_path / "a.fa")], tmp_path / "a.pack", memory=ENOUGH)
    assert (tmp_path / "a.pack").exists()


def test_embedding_is_refused_where_a_batch_does_not_fit(tmp_path: Path) -> None:
    from tests.support.recipes import write_models, write_place  # noqa: PLC0415  torch

    for name in ("models", "place"):
        (tmp_path / name).mkdir()
    write_models(tmp_path / "models")
    write_place(tmp_path / "place", tmp_path / "models")
    embedder = Embedder(tmp_path / "place" / "model", device="cpu", batch_tokens=1 << 30)
    genome, output = str(tmp_path / "place" / "genome.fa"), tmp_path / "vectors.parquet"
    with pytest.raises(ResourceError, match="smaller batches"):
        embed(embedder, [genome], output, memory=4 << 30)
    assert not output.exists()
    command = ("embed", genome, "-m", "place/model", "-o", output.name, "--memory", "700M")
    outcome = _measured(command, tmp_path)
    assert outcome.status == 1
    assert "700000000 available" in outcome.said
    assert outcome.peak < 200_000_000  # torch was not loaded
    embedder = Embedder(tmp_path / "place" / "model", device="cpu", batch_tokens=64)
    seen: list[object] = []
    embed(embedder, [genome], output, memory=ENOUGH, progress=lambda event: seen.append(event["phase"]))
    assert "embedding" in seen
    assert np.isfinite(embedder.vectors(["ACGT"])).all()


def test_a_limit_of_the_kernel_ends_what_uses_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the benchmark measures: a command that keeps to its limit would not be there otherwise."""
    monkeypatch.setattr(benchmark, "GENOTOK", (sys.executable, "-c"))
    few, many = (
        benchmark.measured((f"bytes(range(256)) * {size // 256}",), tmp_path, 60_000_000)
        for size in (1 << 20, 1 << 28)
    )
    if not many.enclosed:
        pytest.skip("no control group can be made here")
    assert (few.status, many.status) == (0, -9)
    case = benchmark.Case("many", (), 60_000_000)
    assert "| 60 MB | yes |" in benchmark.row(case, few)
    assert benchmark.row(case, many).endswith("| **killed** by signal 9 |")
    free = benchmark.row(case._replace(limit=None), few._replace(enclosed=False))
    assert free.startswith("| many |  |  | ")
