"""`genotok info` on everything that genotok writes: made by the commands, recognised by content, told."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

import genotok
from genotok.cli import kinds
from genotok.cli.app import app
from genotok.errors import ArgumentError
from tests.support.commands import run
from tests.support.labelled import write_set

ROOT = Path(__file__).resolve().parent.parent
LAMBDA = str(ROOT / "genomes" / "lambda_phage.fa")
OLD = ROOT / "tests" / "golden" / "tokens"
NEEDS_TORCH = importlib.util.find_spec("accelerate") is None or importlib.util.find_spec("sklearn") is None


def run_ok(*arguments: str | Path) -> None:
    assert run(*arguments) == 0, arguments


def ok(*arguments: str | Path) -> None:
    run_ok(*arguments, "--quiet")


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[Path], tuple[dict[str, Any], str]]:
    """What `info` says of a path: for programs, and for people."""

    def tell(path: Path) -> tuple[dict[str, Any], str]:
        capsys.readouterr()
        assert run("info", path, "--json") == 0
        facts = json.loads(capsys.readouterr().out)
        assert run("info", path) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return facts, captured.out

    return tell


# -- what the commands make without torch -----------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an output of every command that needs no torch."""
    folder = tmp_path_factory.mktemp("made")
    tokenizer = folder / "bpe"  # no name in this folder tells what it is
    ok("train-bpe", LAMBDA, "--vocab", "200", "-o", tokenizer)
    run_ok("kmer", "-k", "3", "-o", folder / "kmer3")
    run_ok("kmer", "-k", "4", "--canonical", "-o", folder / "canonical")
    run_ok("truncate", tokenizer, "--vocab", "100", "-o", folder / "short")
    ok("pack", LAMBDA, "-o", folder / "packed")
    ok("pack", LAMBDA, "-o", f"{folder / 'pack-shards'}{os.sep}")
    for form in ("arrow", "arrow-stream", "parquet", "bed"):
        ok("encode", LAMBDA, "-t", tokenizer, "--format", form, "--window", "500", "-o", folder / form)
    ok("encode", LAMBDA, "-t", tokenizer, "-o", folder / "megatron.bin")
    ok("encode", LAMBDA, "-t", tokenizer, "-o", f"{folder / 'shards'}{os.sep}")
    (folder / "bad.fa").write_text(">x\nACGT\n>y\nAC!!GT\n")
    assert (
        run("encode", LAMBDA, folder / "bad.fa", "-t", tokenizer, "-q", "-o", f"{folder / 'cut'}{os.sep}")
        == 1
    )
    shutil.copy(tokenizer, folder / "bpe.json")
    ok("study", folder / "bpe.json", LAMBDA, "--kmers", "", "-o", folder / "study.json")
    ok("report", folder / "study.json", "-o", folder / "page")
    ok("browse", folder / "bpe.json", "-o", folder / "browse.html")
    write_set(folder / "set", {"train": 9, "dev": 3, "test": 3})
    ok("gue", "split", folder / "set", "-o", folder / "split")
    _interrupted(folder / "checkpoint")
    return folder


def _interrupted(checkpoint: Path) -> None:
    """What a training that is stopped leaves."""

    def stop(event: dict[str, Any]) -> None:
        if event.get("merges"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        genotok.Tokenizer.train(
            str(ROOT / "genomes" / "*.fa"),
            vocab_size=30_000,
            checkpoint=str(checkpoint),
            progress=stop,
            threads=1,
        )


Facts = dict[str, Any]
MADE: list[tuple[str, str, Facts]] = [
    ("bpe", "tokenizer", {"vocab_size": 200}),
    ("kmer3", "tokenizer", {"vocab_size": 4**3 + 5}),
    ("canonical", "tokenizer", {}),
    ("short", "tokenizer", {"vocab_size": 100}),
    ("packed", "packed file", {"bases": 48_502, "records": 1, "words": 1}),
    ("pack-shards", "folder of packed files", {"bases": 48_502, "shards": 1}),
    ("pack-shards/manifest.json", "folder of packed files", {"bases": 48_502}),
    ("arrow", "encoded sequences", {"rows": 98, "bases": 48_502, "vocab_size": 200, "checksums": "blake3"}),
    ("arrow-stream", "encoded sequences", {"rows": 98, "format": "arrow-stream", "checksums": "blake3"}),
    ("parquet", "encoded sequences", {"rows": 98, "bases": 48_502, "checksums": "blake3"}),
    ("megatron.bin", "encoded sequences", {"rows": 1, "vocab_size": 200, "checksums": "blake3"}),
    ("megatron.idx", "encoded sequences", {"rows": 1, "format": "megatron", "checksums": "blake3"}),
    ("shards", "folder of encoded sequences", {"rows": 1, "bases": 48_502, "checksums": "blake3"}),
    ("shards/manifest.json", "folder of encoded sequences", {"rows": 1}),
    ("shards/records-00000.tsv", "list of the records of encoded sequences", {}),
    ("cut", "unfinished folder of encoded sequences", {"inputs": 2, "inputs_done": 1, "bases": 48_502}),
    ("bed", "tokens as BED", {}),
    ("study.json", "record", {"record": "study", "tokenizers": ["bpe"]}),
    ("set", "labelled sequences", {"splits": ["train", "dev", "test"], "disjoint_loci": False}),
    ("split", "labelled sequences", {"disjoint_loci": True, "seed": 1}),
    ("page", "report", {"genotok": genotok.__version__}),
    ("browse.html", "page of genotok browse", {"genotok": genotok.__version__}),
    ("checkpoint", "checkpoint of a tokenizer's training", {"version": 1}),
]


@pytest.mark.parametrize(("name", "kind", "expected"), MADE)
def test_what_a_command_made_is_recognised(
    made: Path,
    name: str,
    kind: str,
    expected: Facts,
    told: Callable[[Path], tuple[dict[str, Any], str]],
) -> None:
    facts, text = told(made / name)
    assert {key: facts[key] for key in ("kind", *expected)} == {"kind": kind, **expected}
    assert str(made / name) in text
    if "vocab_size" in expected and kind != "tokenizer":
        assert facts["genotok"] == genotok.__version__
        assert len(facts["tokenizer_sha256"]) == 64


def test_provenance_is_told(made: Path, told: Callable[[Path], tuple[dict[str, Any], str]]) -> None:
    facts, text = told(made / "shards")
    (entry,) = facts["input_files"]
    assert (entry["path"], len(entry["checksum"])) == (LAMBDA, len("blake3:") + 64)
    assert "one for each record batch" in text
    facts, text = told(made / "study.json")
    assert facts["command"].startswith("genotok study ")
    assert facts["software"]["genotok"] == genotok.__version__
    assert facts["date"] in text
    facts, _ = told(made / "pack-shards")
    assert [entry["name"] for entry in facts["inputs"]] == ["lambda_phage.fa"]


@pytest.mark.parametrize("name", ["rows.arrow", "rows.arrows", "rows.parquet", "rows.bin"])
def test_a_file_of_an_older_version_is_said_to_have_no_checksums(
    name: str, told: Callable[[Path], tuple[dict[str, Any], str]]
) -> None:
    facts, text = told(OLD / name)
    assert facts["checksums"] is None
    assert "checksums     none: " in text


# -- models -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of one tokenizer, which holds runs, models and results; vectors, predictions."""
    if NEEDS_TORCH:
        pytest.skip("needs the extra `train`")
    folder = tmp_path_factory.mktemp("trained")
    write_set(folder / "sets" / "one", {"train": 20, "dev": 6, "test": 8})
    changes = ["window=64", "seeds=[1]", "pretrain.steps=2", "pretrain.warmup=1", "pretrain.batch=4"]
    changes += ["pretrain.micro_batch=4", "pretrain.save_every=1", "finetune.max_steps=1", "finetune.batch=4"]
    settings = [part for change in changes for part in ("--set", change)]
    ok("compare", f"bpe={made / 'bpe.json'}", LAMBDA, "--kmers", "", "--gue", folder / "sets" / "one",
       *settings, "--device", "cpu", "--threads", "1", "-o", folder / "compared")  # fmt: skip
    model = folder / "compared" / "bpe" / "model"
    ok("embed", LAMBDA, "-m", model, "--window", "2000", "--device", "cpu", "-o", folder / "vectors.parquet")
    tuned = folder / "compared" / "bpe" / "results" / "one" / "model"
    ok("predict", folder / "sets" / "one" / "test.csv", "-m", tuned, "--device", "cpu",
       "-o", folder / "predicted.parquet")  # fmt: skip
    site = "gi|9626243|ref|NC_001416.1|:9:A>G"
    ok("score", site, "-r", LAMBDA, "-m", model, "--device", "cpu", "-o", folder / "scored.vcf")
    ok("score", site, "-r", LAMBDA, "-m", model, "--device", "cpu", "-o", folder / "scored.parquet")
    part = ("--region", "gi|9626243|ref|NC_001416.1|:9-12", "-r", LAMBDA, "-m", model, "--device", "cpu")
    ok("mutagenesis", *part, "-o", folder / "effects.parquet")
    ok("track", *part, "-o", folder / "bases.tsv")
    ok("predict", LAMBDA, "-m", tuned, "--window", "2000", "--device", "cpu", "-o", folder / "places.bed")
    ok("baseline", folder / "sets" / "one", "--seeds", "1", "--device", "cpu", "-o", folder / "baselines")
    return folder


TRAINED: list[tuple[str, str, Facts]] = [
    ("compared", "comparison of tokenizers as models", {"state": "complete", "tokenizers": ["bpe"]}),
    ("compared/compared.json", "comparison of tokenizers as models", {"state": "complete"}),
    ("compared/bpe/model", "pre-training run", {"state": "complete", "steps": 2}),
    ("compared/bpe/model/pretrain.json", "pre-training run", {"state": "complete"}),
    ("compared/bpe/results", "results of fine-tuning", {"state": "complete", "seeds": [1]}),
    ("compared/bpe/results/results.json", "results of fine-tuning", {"model": "model"}),
    ("baselines", "baselines", {"state": "complete", "seeds": [1]}),
    ("baselines/results.json", "baselines", {"sets": ["one"]}),
    ("baselines/one/seed-1/average.parquet", "predictions", {"rows": 8, "classes": ["0", "1"]}),
    ("compared/bpe/results/one/model", "model", {"vocab_size": 200, "classes": ["0", "1"]}),
    ("vectors.parquet", "vectors", {"rows": 25, "vocab_size": 200}),
    ("predicted.parquet", "predictions", {"rows": 8, "classes": ["0", "1"]}),
    ("scored.vcf", "scores of variants", {"format": "vcf", "genotok": genotok.__version__}),
    ("scored.parquet", "scores of variants", {"rows": 1}),
    ("effects.parquet", "scores of variants", {"rows": 12}),
    ("bases.tsv", "numbers of bases", {"format": "tsv"}),
    ("places.bed", "predictions at their places", {"format": "bed"}),
]


@pytest.mark.slow
def test_models_runs_and_results_are_recognised(
    trained: Path, told: Callable[[Path], tuple[dict[str, Any], str]]
) -> None:
    for name, kind, expected in TRAINED:
        facts, text = told(trained / name)
        assert {key: facts[key] for key in ("kind", *expected)} == {"kind": kind, **expected}, name
        assert str(trained / name) in text
    run_folder = trained / "compared" / "bpe" / "model"
    facts, _ = told(run_folder)
    assert {"genotok", "torch", "transformers", "config", "files"} <= facts.keys()
    # As a killed run leaves it.
    killed = trained / "killed"
    shutil.copytree(run_folder, killed)
    (killed / "pretrain.json").unlink()
    facts, text = told(killed)
    assert facts["kind"] == "pre-training run"
    assert "genotok pretrain --resume" in text
    (step,) = {path.name for path in killed.glob("checkpoint-*") if path.name.endswith("2")}
    facts, _ = told(killed / step)
    assert (facts["kind"], facts["step"]) == ("checkpoint of a model's training", 2)


# -- the list of kinds ------------------------------------------------------------------------------


def commands() -> dict[str, Any]:
    """All commands by name, those of groups too."""
    found: dict[str, Any] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found.update({f"{name} {each}": inner[each] for each in inner} if inner else {name: command})
    return found


def test_the_kinds_cover_every_command_with_an_output() -> None:
    writing = {
        name
        for name, command in commands().items()
        if any("--output" in option.opts for option in command.params)
    }
    assert len(writing) > 10
    covered = {command for kind in kinds.KINDS for command in kind.commands}
    assert writing <= covered
    assert covered <= set(commands())


def test_every_kind_is_made_here() -> None:
    tested = {kind for _, kind, _ in [*MADE, *TRAINED]} | {"checkpoint of a model's training"}
    assert {kind.name for kind in kinds.KINDS} - {"defects of sequence files"} == tested


def test_defects_are_recognised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.fa").write_text(">x\nAC!GT\n")
    run("check", tmp_path / "bad.fa", "--json")
    (tmp_path / "found").write_text(capsys.readouterr().out)
    kind, facts = kinds.recognise(str(tmp_path / "found"))
    assert (kind, facts["errors"]) == ("defects of sequence files", 1)


# -- what genotok does not write, or what is damaged --------------------------------------------------


FOREIGN: list[tuple[bytes, str]] = [
    (b"", "an empty file"),
    (b">r\nACGT\n", "a FASTA file, which genotok reads; try genotok check"),
    (b"\n\n>r\nACGT\n", "a FASTA file"),
    (b"@r\nACGT\n+\nIIII\n", "a FASTQ file"),
    (b"{", "JSON that is cut short"),
    (b"[" * 100_000, "JSON that is cut short"),
    (b"[]", "JSON, a list of 0"),
    (b'{"a": 1, "b": 2}', "JSON with the keys a, b"),
    (b"<!doctype html><title>x</title>", "a page of HTML"),
    (b"sequence,label\nACGT,1\n", "a CSV file of sequences"),
    (b"to be or not to be\n", "a text file"),
    (bytes(range(256)), "a binary file"),
    (b"\xfd7zXZ\x00rest", "a file compressed by xz"),
    (b"chr1\t5\n", "a text file"),
]


@pytest.mark.parametrize(("content", "like"), FOREIGN)
def test_what_is_foreign_is_said_to_look_like_something(
    tmp_path: Path, content: bytes, like: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.arrow"  # a name tells nothing
    path.write_bytes(content)
    assert run("info", path) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"genotok: error: {path}: nothing that genotok writes; it looks like {like}")
    assert len(error.splitlines()) == 1


def test_folders_and_special_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("folder", "a folder with nothing"),
        ("pipe", "neither a file nor"),
        ("no", "No such file"),
    ):
        assert run("info", tmp_path / name) == 1
        error = capsys.readouterr().err
        assert why in error
        assert len(error.splitlines()) == 1


def test_a_cut_or_altered_output_is_one_line(made: Path, tmp_path: Path) -> None:
    """Any part of any output: facts, or one line of error."""
    refused = []
    for name, _, _ in MADE:
        body = (made / name).read_bytes() if (made / name).is_file() else b""
        path = tmp_path / f"any{Path(name).suffix}"
        for size in sorted({0, 1, 7, 8, 40, 200, len(body) // 2, max(len(body) - 3, 0)}):
            path.write_bytes(body[:size])
            try:
                kinds.recognise(str(path))
            except (genotok.errors.GenotokError, OSError) as error:
                refused.append(str(error))
    assert len(refused) > 60
    assert all(len(error.splitlines()) == 1 for error in refused)


def test_a_large_file_is_not_read_to_be_refused(tmp_path: Path) -> None:
    with open(tmp_path / "large", "wb") as file:
        file.write(b"[1")
        file.truncate(1 << 40)
    with pytest.raises(ArgumentError, match="JSON that is cut short, damaged or too large"):
        kinds.recognise(str(tmp_path / "large"))


def test_control_characters_of_a_file_are_not_printed(
    tmp_path: Path, told: Callable[[Path], tuple[dict[str, Any], str]]
) -> None:
    hostile = "\x1b[31mred\x07"
    (tmp_path / "record").write_text(
        json.dumps({"kind": hostile, hostile: 1, "date": hostile, "command": [hostile]})
    )
    _, text = told(tmp_path / "record")
    assert "\x1b" not in text
    assert "\x07" not in text
