"""One rule for every output of every command: nothing that exists is lost, and no command is forgotten."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import typer.main

from genotok import Tokenizer, _native
from genotok.cli import app as program
from genotok.model import EncoderConfig
from genotok.model.huggingface import (
    DnaBert2Config,
    DnaBert2ForMaskedLM,
    DnaBert2ForSequenceClassification,
)
from tests.support import records
from tests.support.labelled import write_set

FASTA = ">r\n" + "ACGTTGCAACGGTTACAGATTACATTTAGGCCA" * 40 + "\n"


@dataclass(frozen=True)
class Recipe:
    """How a command is called in the tests.

    Attributes:
        arguments: All but the output.
        output: The output's name; one that ends in `/` is a folder.
        inputs: Files that it reads.
        otherwise: Arguments that make another output of the same kind.
        starts: How its data start.
        again: What becomes of the same command, called again: "same" or "refused".
    """

    arguments: list[str]
    output: str
    inputs: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    starts: bytes = b"{"
    again: str = "same"
    other: str = "refused"


RECIPES = {
    "train-bpe": Recipe(
        ["train-bpe", "--vocab", "30", "genome.fa"],
        "out.json",
        ("genome.fa",),
        ("--vocab", "20"),
        other="kept",
    ),
    "truncate": Recipe(
        ["truncate", "tokenizer.json", "--vocab", "30"], "out.json", ("tokenizer.json",), ("--vocab", "20")
    ),
    "kmer": Recipe(["kmer", "-k", "3"], "out.json", (), ("--uppercase",)),
    "encode": Recipe(
        ["encode", "genome.fa", "--format", "arrow"],
        "out.arrow",
        ("genome.fa", "tokenizer.json"),
        ("--reverse-complement",),
        b"ARROW1",
        "refused",
    ),
    "embed": Recipe(
        ["embed", "--model", "model", "genome.fa"],
        "out.parquet",
        ("genome.fa", "model/model.safetensors"),
        ("--pooling", "cls"),
        b"PAR1",
        "refused",
    ),
    "predict": Recipe(
        ["predict", "rows.csv", "--model", "classifier"],
        "out.parquet",
        ("rows.csv", "classifier/model.safetensors"),
        ("--max-tokens", "5"),
        b"PAR1",
        "refused",
    ),
    "score": Recipe(
        ["score", "--model", "model", "--reference", "genome.fa", "--window", "64", "r:9:A>G"],
        "out.vcf",
        ("genome.fa", "model/model.safetensors"),
        ("--scores", "pll"),
        b"##fileformat=VCF",
        "refused",
    ),
    "mutagenesis": Recipe(
        [
            "mutagenesis",
            "--model",
            "model",
            "--reference",
            "genome.fa",
            "--window",
            "64",
            "--region",
            "r:9-12",
        ],
        "out.parquet",
        ("genome.fa", "model/model.safetensors"),
        ("--scores", "pll"),
        b"PAR1",
        "refused",
    ),
    "track": Recipe(
        ["track", "--model", "model", "--reference", "genome.fa", "--window", "64", "--region", "r:9-40"],
        "out.parquet",
        ("genome.fa", "model/model.safetensors"),
        ("--strands", "forward"),
        b"PAR1",
        "refused",
    ),
    "pack": Recipe(
        ["pack", "genome.fa"], "out.pack", ("genome.fa",), ("other.fa",), b"GENOTOK\x1a", "refused"
    ),
    "study": Recipe(
        ["study", "tokenizer.json", "genome.fa", "--kmers", "3"],
        "out.json",
        ("tokenizer.json", "genome.fa"),
        ("--keep-case",),
        again="refused",
    ),
    "gue audit": Recipe(
        ["gue", "audit", "set"], "out.json", ("set/train.csv",), ("--min-overlap", "40"), again="refused"
    ),
    "gue split": Recipe(["gue", "split", "set"], "run/", ("set/train.csv",)),
    "gue fetch": Recipe(["gue", "fetch", "gue.zip"], "run/", ("gue.zip",)),
    "report": Recipe(
        ["report", "record.json"], "out.html", ("record.json",), ("--title", "Other"), b"<!doctype html>"
    ),
    "browse": Recipe(
        ["browse", "tokenizer.json"],
        "out.html",
        ("tokenizer.json",),
        ("--title", "Other"),
        b"<!doctype html>",
    ),
    "convert": Recipe(["convert", "model"], "run/", ("model/model.safetensors",), again="refused"),
    "baseline": Recipe(["baseline", "set"], "run/", ("set/train.csv",), again="refused"),
    "pretrain": Recipe(["pretrain", "genome.fa"], "run/", ("genome.fa",), again="refused"),
    "finetune": Recipe(["finetune", "set", "--model", "model"], "run/", ("set/train.csv",), again="refused"),
    "compare": Recipe(
        ["compare", "tokenizer.json", "genome.fa", "--gue", "set"], "run/", ("genome.fa",), again="refused"
    ),
}
FILES = [name for name, recipe in RECIPES.items() if not recipe.output.endswith("/")]
FOLDERS = [name for name in RECIPES if name not in {*FILES, "convert", "gue split", "gue fetch"}]
"""Folders of runs, which can be resumed; the others have tests of their own."""

Run = Callable[..., tuple[Any, str, str]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer, an encoder and a classifier."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "genome.fa").write_text(FASTA)
    tokenizer = Tokenizer.train(folder / "genome.fa", vocab_size=40)
    sizes = EncoderConfig.preset("tiny-1m", vocab_size=len(tokenizer), hidden_dropout=0.0).to_published()
    torch.manual_seed(0)
    DnaBert2ForMaskedLM(DnaBert2Config(**sizes)).save_pretrained(folder / "model")
    classes = DnaBert2Config(**sizes, num_labels=2)
    DnaBert2ForSequenceClassification(classes).save_pretrained(folder / "classifier")
    for place in (".", "model", "classifier"):
        tokenizer.save(folder / place / "tokenizer.json")
    return folder


@pytest.fixture
def place(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the recipes read; the present one."""
    monkeypatch.chdir(tmp_path)
    for name in ("model", "classifier"):
        Path(name).mkdir()
    for source in models.rglob("*"):
        if source.is_file():
            (tmp_path / source.relative_to(models)).write_bytes(source.read_bytes())
    Path("other.fa").write_text(">o\nACGTACGGTA\n")
    Path("rows.csv").write_text("sequence\nACGTACGTTAGGCACCATTA\n")
    Path("record.json").write_text(json.dumps({"kind": "study", **records.study()}))
    write_set(Path("set"), {"train": 4, "dev": 4, "test": 4})
    return tmp_path


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> Run:
    """The program in this process: exit code, what it wrote to standard output (bytes), and its messages."""

    def call(*arguments: str) -> tuple[Any, bytes, str]:
        monkeypatch.setattr(sys, "argv", ["genotok", *arguments])
        code = program._run()
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return call


def contents(folder: Path) -> dict[str, bytes]:
    """The files in a folder and those below."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def refused(found: tuple[Any, bytes, str], *parts: str) -> None:
    code, out, err = found
    assert (code, out) == (1, b""), found
    lines = [line for line in err.splitlines() if line.startswith("genotok: error: ")]
    assert len(lines) == 1, err
    for part in parts:
        assert part in lines[0]


def commands() -> Iterator[tuple[str, Any]]:
    """All commands of the program, groups resolved."""

    def walk(prefix: str, group: Any) -> Iterator[tuple[str, Any]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(f"{prefix}{name} ", command)
            else:
                yield prefix + name, command

    yield from walk("", typer.main.get_command(program.app))


def test_every_command_with_an_output_has_a_recipe_here() -> None:
    with_output = {
        name
        for name, command in commands()
        if any({"-o", "--output"} & set(option.opts) for option in command.params)
    }
    assert with_output == set(RECIPES)
    assert isinstance(program.app, typer.Typer)


def test_every_file_can_be_forced_and_says_so() -> None:
    options = {
        name: {each for option in command.params for each in option.opts} for name, command in commands()
    }
    assert [name for name in FILES if "--force" not in options[name]] == []


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_ours_is_never_lost(name: str, run: Run, place: Path) -> None:
    recipe = RECIPES[name]
    command = [*recipe.arguments, "-o", recipe.output]
    assert run(*command)[0] == 0
    first = contents(place)
    assert not [other for other in first if "genotok-" in other]
    found = run(*command)
    if recipe.again == "refused":
        refused(found, f"{recipe.output}: is there already; --force replaces it")
    else:
        assert found[0] == 0
        assert "as it was" in found[1].decode()
    assert contents(place) == first
    found = run(*command, *recipe.otherwise)
    second = contents(place)
    if recipe.other == "refused":
        refused(found, f"{recipe.output}: is there already; --force replaces it")
        assert second == first
    else:
        assert found[0] == 0
        assert f"kept as {recipe.output}.1" in found[1].decode()
        assert second.pop(f"{recipe.output}.1") == first[recipe.output]
        assert second.pop(recipe.output) != first[recipe.output]
    assert run(*command, *recipe.otherwise, "--force")[0] == 0
    assert contents(place)[recipe.output] != first[recipe.output]


def test_each_tokenizer_that_is_replaced_gets_a_number_of_its_own(run: Run, place: Path) -> None:
    made = []
    for vocab in ("20", "21", "22"):
        assert run("train-bpe", "--vocab", vocab, "genome.fa", "-q", "-o", "out.json")[0] == 0
        made.append(Path("out.json").read_bytes())
    assert [Path(f"out.json{end}").read_bytes() for end in (".1", ".2", "")] == made


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_kind_is_never_replaced(name: str, force: list[str], run: Run, place: Path) -> None:
    recipe = RECIPES[name]
    strangers = {
        "a genome": FASTA.encode(),
        "a table": b"sequence,label\nACGT,1\n",
        "JSON": b'{"name": "a package", "version": "1.0"}',
        "a page": b"<!doctype html><title>mine</title>",
    }
    for content in strangers.values():
        Path(recipe.output).write_bytes(content)
        before = contents(place)
        refused(run(*recipe.arguments, "-o", recipe.output, *force), recipe.output)
        assert contents(place) == before


@pytest.mark.parametrize("name", FILES)
def test_what_is_read_is_never_replaced(name: str, run: Run, place: Path) -> None:
    recipe = RECIPES[name]
    ending = Path(recipe.output).suffix
    for number, source in enumerate(recipe.inputs):
        link, hard = f"link-{number}{ending}", f"hard-{number}{ending}"
        Path(link).symlink_to(source)
        os.link(source, hard)
        before = contents(place)
        # A stream takes any name of its format; other commands want their ending.
        own = [source] if name not in {"embed", "predict", "score", "mutagenesis", "track"} else []
        for output in (*own, link, hard):
            refused(run(*recipe.arguments, "-o", output, "--force"), output)
            assert contents(place) == before


def test_patterns_and_several_names_are_seen_through(run: Run, place: Path) -> None:
    Path("genomes").mkdir()
    Path("genomes/tokenizer.json").write_bytes(Path("tokenizer.json").read_bytes())
    before = contents(place)
    refused(run("report", "*.json", "-o", "record.json", "--force"), "record.json")
    command = ["study", "own=genomes/tokenizer.json", "genome.fa", "-o", "genomes/../genomes/tokenizer.json"]
    refused(run(*command, "--force"), "read by this command")
    refused(run("pack", "genom*.fa", "-o", "genome.fa", "--force"), "read by this command (as genom*.fa)")
    assert contents(place) == before


@pytest.mark.parametrize("name", FILES)
def test_a_line_is_standard_output(name: str, run: Run, place: Path) -> None:
    recipe = RECIPES[name]
    before = contents(place)
    code, out, err = run(*recipe.arguments, "-o", "-")
    assert code == 0
    assert out.startswith(recipe.starts)
    assert contents(place) == before
    assert b"standard output" not in out
    assert "genotok: error" not in err
    code, out, err = run(*recipe.arguments, "-o", "-", "--json")
    assert out.startswith(recipe.starts)
    if name != "study":  # its result is its record, on both
        assert json.loads(err.splitlines()[-1])
    assert contents(place) == before


@pytest.mark.parametrize("name", FILES)
def test_devices_and_pipes_are_written_to(name: str, run: Run, place: Path) -> None:
    recipe = RECIPES[name]
    before = contents(place)
    assert run(*recipe.arguments, "-o", "/dev/null")[0] == 0
    refused(run(*recipe.arguments, "-o", "/dev/full"), os.strerror(28))
    assert contents(place) == before
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", FILES)
def test_a_link_is_followed_also_where_it_leads_to_nothing_yet(name: str, run: Run, place: Path) -> None:
    recipe = RECIPES[name]
    Path("inner").mkdir()
    Path(recipe.output).symlink_to(f"inner/{recipe.output}")
    assert run(*recipe.arguments, "-o", recipe.output)[0] == 0
    assert Path(recipe.output).is_symlink()
    assert Path("inner", recipe.output).read_bytes().startswith(recipe.starts)
    Path(f"nowhere-{recipe.output}").symlink_to(f"nowhere/{recipe.output}")
    before = contents(place)
    refused(run(*recipe.arguments, "-o", f"nowhere-{recipe.output}"), "does not exist")
    assert contents(place) == before


@pytest.mark.parametrize("name", [name for name in FILES if name not in {"encode", "pack", "study"}])
def test_a_folder_is_no_file(name: str, run: Run, place: Path) -> None:
    recipe = RECIPES[name]
    Path("folder" + Path(recipe.output).suffix).mkdir()
    before = contents(place)
    refused(
        run(*recipe.arguments, "-o", "folder" + Path(recipe.output).suffix), "is a folder; name a file in it"
    )
    refused(run(*recipe.arguments, "-o", f"no/such/{recipe.output}"), "does not exist; make it first")
    assert contents(place) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("name", FILES)
def test_a_folder_that_may_not_be_written_to_is_named(name: str, run: Run, place: Path) -> None:
    Path("closed").mkdir(mode=0o500)
    refused(run(*RECIPES[name].arguments, "-o", f"closed/{RECIPES[name].output}"), "closed/")


@pytest.mark.parametrize("name", FILES)
def test_a_second_writer_is_refused_and_hears_of_the_first(name: str, run: Run, place: Path) -> None:
    recipe = RECIPES[name]
    claim = _native.Claim(recipe.output)
    before = contents(place)
    refused(
        run(*recipe.arguments, "-o", recipe.output, "--force"),
        recipe.output,
        f"process {os.getpid()}",
        "is writing to it",
    )
    assert contents(place) == before
    claim.release()
    assert run(*recipe.arguments, "-o", recipe.output)[0] == 0


@pytest.mark.parametrize("name", [*FOLDERS, "pack", "encode"])
def test_a_folder_belongs_to_one_run(name: str, run: Run, place: Path) -> None:
    recipe = RECIPES[name]
    arguments = [*recipe.arguments, *(["--device", "cpu"] if name in FOLDERS else ["--shard-size", "1000"])]
    Path("run").mkdir()
    claim = _native.Claim("run", folder=True)
    before = contents(place)
    refused(run(*arguments, "-o", "run/"), "run", f"process {os.getpid()}", "is writing to it")
    assert contents(place) == before
    claim.release()
    if name in FOLDERS:
        refused(run(*arguments, "-o", "-"), "name a folder")
        Path("run/notes.txt").write_text("mine")
        refused(run(*arguments, "-o", "run/"), "is there already; --resume resumes it")
    assert not Path("-").exists()


def test_studies_in_one_folder_get_numbers_of_their_own(run: Run, place: Path) -> None:
    arguments = ["study", "tokenizer.json", "genome.fa", "--kmers", "", "-q", "-o", "records"]
    for count in (1, 2):
        assert run(*arguments)[0] == 0
        assert len(os.listdir("records")) == count


def test_a_checkpoint_is_not_written_over_something_else(run: Run, place: Path) -> None:
    Path("out.json.checkpoint").write_text("notes of my own")
    refused(run("train-bpe", "genome.fa", "-o", "out.json"), "out.json.checkpoint", "is not a checkpoint")
    assert Path("out.json.checkpoint").read_text() == "notes of my own"


def test_an_empty_file_is_no_loss(run: Run, place: Path) -> None:
    Path("out.json").touch()
    assert run("kmer", "-k", "3", "-o", "out.json")[0] == 0


def test_a_killed_pair_of_megatron_files_is_not_taken_for_ours(run: Run, place: Path) -> None:
    arguments = ["encode", "genome.fa", "-o", "out.bin"]
    assert run(*arguments)[0] == 0
    refused(run(*arguments), "out.bin: is there already")
    assert run(*arguments, "--force")[0] == 0
    Path("out.idx").unlink()
    Path("out.bin").write_bytes(b"something else")
    refused(run(*arguments, "--force"), "out.bin: exists and is not a file of token ids")
