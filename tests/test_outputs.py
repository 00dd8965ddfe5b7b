"""One rule for every output of every command: nothing that exists is lost, and no command is forgotten."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from genotok import _native
from genotok.cli import app as program
from tests.support.recipes import FASTA, FILES, FOLDERS, RECIPES, write_models, write_place

Run = Callable[..., tuple[Any, str, str]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer, an encoder and a classifier."""
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    return folder


@pytest.fixture
def place(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the recipes read; the present one."""
    monkeypatch.chdir(tmp_path)
    write_place(tmp_path, models)
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
