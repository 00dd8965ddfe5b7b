"""Packed shards: training from them is training from the files, in little memory; damage is named."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genotok import ArgumentError, ResourceError, SequenceFileError, Tokenizer, _native, pack
from genotok.corpus.packed import pack_shards, verify_shards, words_of
from genotok.files.paths import expand

ROOT = Path(__file__).resolve().parent.parent
YEAST = [str(path) for path in sorted((ROOT / "genomes").glob("yeast_*.fa"))]
LAMBDA = str(ROOT / "genomes" / "lambda_phage.fa")


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Three inputs in many shards."""
    files = []
    for number in range(3):
        path = tmp_path / f"{number}.fa"
        words = b"NN".join(_native.simulate(3000, 10 * number + word) for word in range(20))
        path.write_bytes(b">r %d\n" % number + words + b"\n")
        files.append(str(path))
    pack_shards(files, tmp_path / "shards", shard_size=10_000)
    return tmp_path / "shards"


def genotok(*arguments: str, folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "genotok", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        **options,
    )


def test_shards_train_what_their_files_do(shards: Path) -> None:
    files = sorted(str(path) for path in shards.parent.glob("*.fa"))
    expected = Tokenizer.train(files, vocab_size=500)
    found = Tokenizer.train(shards, vocab_size=500)
    assert len(expand(shards, shards=True)) > 9
    assert found.to_json() == expected.to_json()
    assert found.report is not None
    assert expected.report is not None
    for key in ("bases", "words", "records", "skipped", "fingerprint", "tokens"):
        assert found.report[key] == expected.report[key]  # type: ignore[literal-required]
    # A packed file and a folder may be given together.
    pack(files[0], shards.parent / "one.pack")
    pack_shards(files[1:], shards.parent / "others")
    both = [shards.parent / "one.pack", shards.parent / "others"]
    assert Tokenizer.train(both, vocab_size=500).to_json() == expected.to_json()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.text("ACGT", min_size=1, max_size=60), min_size=1, max_size=6), min_size=1, max_size=5
    ),
    st.integers(1, 200),
    st.integers(1, 5),
)
def test_small_corpora_split_any_way_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, inputs: list[list[str]], shard_size: int, first: int
) -> None:
    folder = tmp_path_factory.mktemp("split")
    files = []
    for number, words in enumerate(inputs):
        files.append(folder / f"{number}.fa")
        files[-1].write_text(f">{number}\n{'N'.join(words)}\n")
    pack_shards(files[:first], folder / "shards", shard_size=shard_size)
    if files[first:]:
        pack_shards(files[first:], folder / "shards", shard_size=shard_size, append=True)
    options: dict[str, Any] = {"vocab_size": 40, "special_tokens": []}
    expected = Tokenizer.train(files, **options).to_json()
    assert Tokenizer.train(folder / "shards", **options).to_json() == expected
    assert verify_shards(folder / "shards") == []


def test_every_word_has_its_place(shards: Path) -> None:
    for path in expand(shards, shards=True):
        found = list(words_of(path))
        assert found
        assert all(word.record == "r" and word.end - word.start == 3000 for word in found)
        assert all(one.end + 2 == other.start for one, other in pairwise(found))


def test_damage_is_named_and_never_trained_on(shards: Path) -> None:
    victim = shards / "00001-00000.pack"
    data = bytearray(victim.read_bytes())
    checksum = json.loads((shards / "manifest.json").read_text())["shards"]
    checksum = next(shard["checksum"] for shard in checksum if shard["file"] == victim.name)
    data[900] ^= 4
    victim.write_bytes(data)
    with pytest.raises(SequenceFileError, match=r"00001-00000\.pack: this packed file is damaged"):
        Tokenizer.train(shards, vocab_size=100)
    (defect,) = verify_shards(shards)
    assert victim.name in defect
    assert checksum in defect
    done = genotok("verify", str(shards), folder=shards.parent)
    assert (done.returncode, done.stdout.strip()) == (1, defect)
    victim.write_bytes(data[:-1])
    with pytest.raises(SequenceFileError, match=f"bytes, not.*{checksum}"):
        Tokenizer.train(shards, vocab_size=100)
    victim.unlink()
    with pytest.raises(SequenceFileError, match="missing"):
        Tokenizer.train(shards, vocab_size=100)


def test_a_folder_of_anything_else_is_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": "cooking", "version": 1}')
    with pytest.raises(SequenceFileError, match="cooking"):
        Tokenizer.train(tmp_path)
    (tmp_path / "manifest.json").write_text("{" * 100_000)
    with pytest.raises(SequenceFileError, match="damaged"):
        Tokenizer.train(tmp_path)
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(IsADirectoryError):
        Tokenizer.train(tmp_path)
    with pytest.raises(IsADirectoryError):
        expand(tmp_path)


def test_the_command_packs_adds_and_verifies(tmp_path: Path) -> None:
    done = genotok("pack", *YEAST[:2], "-o", "shards/", "--verify", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "in 2 shards" in done.stdout
    done = genotok("pack", LAMBDA, "-o", "shards", "--append", "--json", folder=tmp_path)
    assert json.loads(done.stdout)["shards"] == 3
    done = genotok("pack", LAMBDA, "-o", "shards", "--append", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert 'lambda_phage.fa: is the same as "lambda_phage.fa", and would count twice' in done.stderr
    done = genotok("pack", LAMBDA, "-o", "shards", folder=tmp_path)
    assert "--append adds to them" in done.stderr
    assert genotok("verify", "shards", folder=tmp_path).stdout == "shards: whole\n"
    done = genotok("train-bpe", "--vocab", "300", "shards", "-o", "a.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    genotok("train-bpe", "--vocab", "300", *YEAST[:2], LAMBDA, "-o", "b.json", folder=tmp_path)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    for wrong in (["-o", "x.pack", "--verify"], ["-o", "none", "--append"]):
        assert genotok("pack", LAMBDA, *wrong, folder=tmp_path).returncode == 1


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = genotok("pack", *YEAST[:2], "-o", "shards/", folder=tmp_path, preexec_fn=small_files)
    assert done.returncode == 1
    assert done.stderr.startswith("genotok: error: ")
    assert done.stderr.count("\n") == 1
    assert ".pack: File too large" in done.stderr
    assert os.listdir(tmp_path / "shards") == []
    assert genotok("pack", *YEAST[:2], "-o", "shards/", "--verify", folder=tmp_path).returncode == 0


@pytest.mark.slow
def test_a_killed_packing_is_begun_again(tmp_path: Path) -> None:
    large = tmp_path / "large.fa"
    large.write_bytes(b">r\n" + b"N".join(_native.simulate(1_000_000, seed) for seed in range(40)) + b"\n")
    command = ["pack", str(large), "-o", "shards/", "--shard-size", "1M", "--quiet"]
    with subprocess.Popen([sys.executable, "-m", "genotok", *command], cwd=tmp_path) as process:
        while process.poll() is None and len(list(tmp_path.glob("shards/*.pack"))) < 3:
            time.sleep(0.005)
        process.kill()
    if not (tmp_path / "shards" / "manifest.json").exists():  # else it was faster than the kill
        with pytest.raises(IsADirectoryError):
            Tokenizer.train(tmp_path / "shards", vocab_size=20)
        assert genotok(*command, folder=tmp_path).returncode == 0
    assert verify_shards(tmp_path / "shards") == []
    assert Tokenizer.train(tmp_path / "shards", vocab_size=64).to_json() == (
        Tokenizer.train(large, vocab_size=64).to_json()
    )


@pytest.mark.slow
def test_memory_is_bounded_and_too_little_is_said(tmp_path: Path) -> None:
    files = []
    for number in range(6):
        files.append(tmp_path / f"{number}.fa")
        files[-1].write_bytes(b">r\n" + _native.simulate(20_000_000, number) + b"\n")
    pack_shards(files, tmp_path / "shards")
    command = ["train-bpe", "--vocab", "600", "--threads", "2", "shards", "--json", "--quiet"]
    done = genotok(*command, "--memory", "500M", "-o", "a.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["peak_memory_bytes"] < 500e6
    genotok("train-bpe", "--vocab", "600", *map(str, files), "-o", "b.json", "-q", folder=tmp_path)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    done = genotok(*command, "--memory", "100M", "-o", "c.json", folder=tmp_path)
    assert done.returncode == 1
    assert "not enough memory in bytes, whatever is read; use fewer threads" in done.stderr
    with pytest.raises(ResourceError, match="pack the genomes into shards"):
        Tokenizer.train(files, memory=360_000_000, threads=1)
    with pytest.raises(ArgumentError, match="memory=0"):
        Tokenizer.train(files, memory=0)
