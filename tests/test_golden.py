"""Files that an earlier version wrote are read as it read them (tests/golden/README.md)."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genotok
from genotok import Tokenizer, _native
from genotok.corpus import verify_packed, verify_shards, words_of
from genotok.dataset import TokenDataset, verify_file, verify_folder
from genotok.dataset.encode import encode
from genotok.files.identity import vocabulary_sha256
from tests.support.commands import run

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
LAMBDA = ROOT / "genomes" / "lambda_phage.fa"

TOKENIZERS = sorted(path.name for path in (GOLDEN / "tokenizers").glob("[!e]*.json"))
ROWS = ["rows.arrow", "rows.arrows", "rows.parquet", "rows.bin"]
SHARDS = ["shards-arrow", "shards-megatron", "shards-parquet"]


def expected(folder: str) -> Any:
    return json.loads((GOLDEN / folder / "expected.json").read_text())


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files as they were when the current folder was theirs, to be written to."""
    shutil.copytree(GOLDEN, tmp_path / "golden", ignore=shutil.ignore_patterns("dnabert2", "records"))
    monkeypatch.chdir(tmp_path / "golden")
    return tmp_path / "golden"


# -- tokenizers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_tokenizer_gives_the_same_ids_and_the_same_file(name: str) -> None:
    found = expected("tokenizers")
    then = found["tokenizers"][name]
    path = GOLDEN / "tokenizers" / name
    tokenizer = Tokenizer.from_file(path)
    assert tokenizer.vocab_size == then["vocab_size"]
    assert tokenizer.vocab == then["vocab"]
    assert [list(merge) for merge in tokenizer.merges] == then["merges"]
    assert vocabulary_sha256(tokenizer) == then["vocabulary_sha256"]
    assert list(tokenizer.encode(found["bases"])) == then["ids"]
    if then["ids_of_symbols"] is not None:
        assert list(tokenizer.encode(found["symbols"])) == then["ids_of_symbols"]
    if then["with_special"] is not None:
        assert list(tokenizer.encode(found["bases"], add_special_tokens=True)) == then["with_special"]
    assert tokenizer.to_json() == path.read_text()


def test_every_tokenizer_is_expected() -> None:
    assert list(expected("tokenizers")["tokenizers"]) == TOKENIZERS


# -- packed corpora ---------------------------------------------------------------------------------


def test_packed_sequences_are_those_of_then() -> None:
    then, folder = expected("packed"), GOLDEN / "packed"
    assert _native.packed_contents(str(folder / "genome.pack")) == then["contents"]
    for source in (folder / "genome.pack", folder / "shards", GOLDEN / "inputs" / "genome.fa"):
        tokenizer = Tokenizer.train(source, vocab_size=40)
        assert [list(merge) for merge in tokenizer.merges] == then["merges"]
    for name, words in then["words"].items():
        assert [list(word) for word in words_of(folder / "shards" / name)] == words
    assert verify_packed(folder / "genome.pack") == verify_shards(folder / "shards") == []


def test_packing_gives_the_same_bytes(tmp_path: Path) -> None:
    genome = GOLDEN / "inputs" / "genome.fa"
    genotok.pack(genome, tmp_path / "genome.pack")
    genotok.pack_shards(genome, tmp_path / "shards", shard_size=1000)
    assert contents(tmp_path) == contents(GOLDEN / "packed")


def test_shards_can_be_added_to(copies: Path) -> None:
    genotok.pack_shards(copies / "inputs" / "second.fa", copies / "packed" / "shards", append=True)
    assert verify_shards(copies / "packed" / "shards") == []


# -- encoded sequences ------------------------------------------------------------------------------


def rows_in(path: Path) -> list[Any]:
    rows = TokenDataset(path)
    found = [rows.row(number) for number in range(len(rows))]
    return [[*(ids.tolist() if isinstance(ids, np.ndarray) else ids for ids in row)] for row in found]


@pytest.mark.parametrize("name", [*ROWS, *SHARDS, "regions.parquet"])
def test_encoded_rows_are_those_of_then(name: str, copies: Path) -> None:
    path = copies / "encoded" / name
    then = expected("encoded")[name.partition(".")[0].partition("-")[0]]
    if name in {"rows.bin", "shards-megatron"}:  # the format has no names and positions
        then = [["", 0, 0, ids] for *_, ids in then]
    assert rows_in(path) == then
    tokenizer = Tokenizer.from_file(copies / "tokenizers" / "bpe.json")
    assert run("verify", path, "--against", copies / "tokenizers" / "bpe.json") == 0
    if path.is_dir():
        assert list(verify_folder(path, inputs=True)) == []
        assert Tokenizer.from_file(path / "tokenizer.json").to_json() == tokenizer.to_json()
    else:
        assert list(verify_file(path)) == []


def test_bed_rows_are_those_of_then(tmp_path: Path) -> None:
    then = (GOLDEN / "encoded" / "rows.bed").read_bytes()
    assert gzip.decompress((GOLDEN / "encoded" / "rows.bed.gz").read_bytes()) == then
    tokenizer = Tokenizer.from_file(GOLDEN / "tokenizers" / "bpe.json")
    genome, region = GOLDEN / "inputs" / "genome.fa", ["chr3", "chr2:280-330"]
    encode(tokenizer, genome, tmp_path / "rows.bed", region=region)
    encode(tokenizer, genome, tmp_path / "rows.bed.gz", region=region)
    for name in ("rows.bed", "rows.bed.gz", "rows.bed.gz.tbi"):
        assert (tmp_path / name).read_bytes() == (GOLDEN / "encoded" / name).read_bytes(), name


def test_an_unfinished_folder_is_resumed(copies: Path) -> None:
    files = ["inputs/genome.fa", "inputs/second.fa"]
    tokenizer = Tokenizer.from_file("tokenizers/bpe.json")
    options: Any = {"shard_size": 1000, "window": 200}
    report = encode(tokenizer, files, "encoded/unfinished", resume=True, **options)
    assert report["resumed"] == 1
    encode(tokenizer, files, "encoded/again", **options)
    resumed, again = copies / "encoded" / "unfinished", copies / "encoded" / "again"
    assert rows_in(resumed) == rows_in(again)
    assert [*verify_folder(resumed, inputs=True), *verify_folder(again, inputs=True)] == []
    # What was complete stays as the earlier version wrote it; what is new has the bytes of today.
    then, first, second = contents(GOLDEN / "encoded" / "unfinished"), contents(resumed), contents(again)
    assert first.keys() == second.keys()
    complete = {name for name in then if name != "unfinished.jsonl"}
    assert {name: first[name] for name in complete} == {name: then[name] for name in complete}
    new = first.keys() - complete - {"manifest.json"}
    assert {name: first[name] for name in new} == {name: second[name] for name in new}
    assert new


# -- training, resumed ------------------------------------------------------------------------------


def test_a_training_is_resumed(tmp_path: Path) -> None:
    then = expected("train-bpe")
    output = tmp_path / "tokenizer.json"
    shutil.copy(GOLDEN / "train-bpe" / "checkpoint.json", f"{output}.checkpoint")
    arguments = ("train-bpe", LAMBDA, "--both-strands", "--vocab", "100", "-q")
    assert run(*arguments, "-o", output, "--resume") == 0
    assert run(*arguments, "-o", tmp_path / "again.json") == 0
    assert output.read_bytes() == (tmp_path / "again.json").read_bytes()
    assert [list(merge) for merge in Tokenizer.from_file(output).merges] == then["merges"]
    assert hashlib.sha256(output.read_bytes()).hexdigest() == then["tokenizer_sha256"]
    assert not (tmp_path / "tokenizer.json.checkpoint").exists()


# -- models -----------------------------------------------------------------------------------------


def test_a_model_gives_the_same_vectors() -> None:
    pytest.importorskip("torch", reason="needs torch: the extra `model`")
    from genotok.embedding import Embedder  # noqa: PLC0415
    from genotok.model_folder.read import read_folder  # noqa: PLC0415

    then = expected("model")
    folder = read_folder(GOLDEN / "model" / "folder")
    assert folder.parameters == then["parameters"]
    assert folder.digests() == then["digests"]
    assert folder.identities() == then["identities"]
    vectors = Embedder(GOLDEN / "model" / "folder", device="cpu").vectors([then["bases"]])
    np.testing.assert_allclose(vectors, then["vectors"], atol=2e-5)


def test_a_pretraining_is_resumed(copies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are those of the run that was not stopped."""
    pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")
    from safetensors.numpy import load_file  # noqa: PLC0415

    from genotok.model import PRESETS  # noqa: PLC0415
    from genotok.pretrain import PretrainConfig, pretrain  # noqa: PLC0415

    sizes = {"num_layers": 1, "hidden_size": 8, "num_heads": 2, "intermediate_size": 16}
    monkeypatch.setitem(PRESETS, "tiny-1m", sizes)
    config = json.loads((copies / "pretrain" / "interrupted" / "run.json").read_text())["config"]
    report = pretrain(
        ["inputs/genome.fa"],
        "pretrain/interrupted",
        PretrainConfig(**config),
        tokenizer="tokenizers/bpe.json",
        device="cpu",
        threads=1,
        resume=True,
    )
    assert (report["resumed_at"], report["steps"]) == (2, 4)
    weights = load_file(copies / "pretrain" / "interrupted" / "model.safetensors")
    uninterrupted = load_file(copies / "model" / "folder" / "model.safetensors")
    assert weights.keys() == uninterrupted.keys()
    for name, one in weights.items():
        np.testing.assert_allclose(one, uninterrupted[name], atol=1e-5, err_msg=name)


def contents(folder: Path) -> dict[str, bytes]:
    """Name and bytes of each file below a folder; those of what is only expected are left out."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "expected.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
