"""What a person who does not know the program reads: help pages, the manual, completion, hints."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from genotok.cli import commands
from genotok.cli.app import app
from tests.support.program import ENVIRONMENT, LAMBDA, PROGRAM, Done, fails, run

ROOT = Path(__file__).resolve().parent.parent


def leaves(group: TyperGroup, *path: str) -> Iterator[tuple[str, ...]]:
    """The words of every command."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from leaves(command, *path, name)
        else:
            yield (*path, name)


def declared(words: tuple[str, ...]) -> list[TyperOption]:
    """The options of a command."""
    found = get_command(app)
    for word in words:
        assert isinstance(found, TyperGroup)
        found = found.commands[word]
    return [param for param in found.params if isinstance(param, TyperOption)]


COMMANDS = list(leaves(get_command(app)))  # type: ignore[arg-type]


def test_the_front_page_says_the_first_sentence_of_each_command() -> None:
    made = get_command(app)
    assert isinstance(made, TyperGroup)
    for name, entry in commands.COMMANDS.items():
        command = made.commands[name]
        assert command.name == name
        assert entry.summary == command.get_short_help_str(limit=200)


def test_a_command_imports_no_other() -> None:
    """All of them together take longer to import than most commands run."""
    code = (
        "import sys, genotok.cli; print(*(name for name in sys.modules if name.startswith('genotok.cli.c')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["genotok.cli.commands"]


def test_what_computes_with_an_encoder_alone_loads_neither_transformers_nor_the_compiler() -> None:
    """Both take several times longer to import than torch itself."""
    code = (
        "import sys, genotok.embedding as a, genotok.variants as b\n"
        "[getattr(each, name) for each in (a, b) for name in each.__all__]\n"
        "print('torch' in sys.modules, 'transformers' in sys.modules, 'torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "False"]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_of_every_command_is_written_and_explained(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = run(*words, "--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = re.findall(r"^│ (-\S.*?)(?:  +|\s*│$)", done.stdout, re.MULTILINE)
    for option in declared(words):
        written = [row for row in rows if option.opts[0] in re.split(r"[ ,/]+", row)]
        assert len(written) == 1, option.opts
        for name in [*option.opts, *option.secondary_opts]:
            assert name in written[0]
        choices = getattr(option.type, "choices", ())
        for choice in choices:
            assert str(choice) in re.split(r"[ |]", written[0])
        if not option.is_flag:
            assert written[0].split()[-1] != option.opts[0], "no name for its value"
        assert option.help
        assert option.help.rstrip().endswith("."), option.help
    assert "None" not in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())
    asked = run("help", *words, folder=tmp_path)
    assert (asked.returncode, asked.stdout) == (0, done.stdout)


def test_a_pair_of_flags_shows_both_and_its_default(tmp_path: Path) -> None:
    page = run("kmer", "--help", folder=tmp_path).stdout
    assert "--overlap / --no-overlap" in page
    assert "(default: --overlap)" in " ".join(page.replace("│", " ").split())


def test_required_options_are_marked(tmp_path: Path) -> None:
    page = " ".join(run("truncate", "--help", folder=tmp_path).stdout.replace("│", " ").split())
    assert re.search(r"-o, --output FILE The smaller tokenizer[^.]*\. \(required\)", page)


def test_help_without_a_command_is_the_front_page(tmp_path: Path) -> None:
    front = run("--help", folder=tmp_path)
    assert run("help", folder=tmp_path).stdout == front.stdout
    assert all(words[0] in front.stdout for words in COMMANDS)
    group = run("help", "gue", folder=tmp_path).stdout
    assert group == run("gue", "--help", folder=tmp_path).stdout
    assert "audit" in group


@pytest.mark.parametrize("words", [["trian-bpe"], ["gue", "lst"], ["encode", "fast"]])
def test_help_on_what_is_no_command_is_wrong_usage(words: list[str], tmp_path: Path) -> None:
    done = run("help", *words, folder=tmp_path)
    assert done.returncode == 2
    assert f"has no command '{words[-1]}'" in " ".join(done.stderr.replace("│", " ").split())


# -- the manual page --------------------------------------------------------------------------------


def test_the_manual_page_that_is_installed_is_of_these_commands(tmp_path: Path) -> None:
    done = run("help", "--man", folder=tmp_path)
    kept = ROOT / "share" / "data" / "share" / "man" / "man1" / "genotok.1"
    assert done.stdout == kept.read_text(encoding="utf-8"), "it is stale: make man"
    for words in COMMANDS:
        assert f".SS genotok {' '.join(words)}".replace("-", "\\-") in done.stdout


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_the_manual_page_is_good_roff(tmp_path: Path) -> None:
    page = run("help", "--man", folder=tmp_path).stdout
    command = ["groff", "-man", "-ww", "-Tascii", "-P-c"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "genotok train-bpe [OPTIONS] FILES..." in re.sub(".\x08", "", done.stdout)


# -- completion in shells ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("genotok tr", {"track", "train-bpe", "truncate"}),
        ("genotok embed --pooling ", {"mean", "cls"}),
        ("genotok encode --reg", {"--region"}),
    ],
)
def test_commands_options_and_choices_are_completed(words: str, expected: set[str], tmp_path: Path) -> None:
    last = len(words.split(" ")) - 1
    settings = {"_GENOTOK_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(last)}
    done = subprocess.run(
        PROGRAM, env={**ENVIRONMENT, **settings}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (set(done.stdout.split()), done.stderr) == (expected, "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_completion_installs_in_bash(tmp_path: Path) -> None:
    script = f"{shlex.join(PROGRAM)} --install-completion; echo"
    done = subprocess.run(
        ["bash", "-c", script],
        env={**ENVIRONMENT, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "completion installed" in done.stdout, done
    installed = (tmp_path / ".bash_completions" / "genotok.sh").read_text(encoding="utf-8")
    assert "_GENOTOK_COMPLETE=complete_bash" in installed
    assert "genotok.sh" in (tmp_path / ".bashrc").read_text(encoding="utf-8")


# -- hints ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("show", "ACGT"),
        ("encode", LAMBDA, "-o", "x.arrow"),
        ("gue", "audit", ".", "-t", "tokenizer.json"),
        ("truncate", "tokenizer.json", "--vocab", "8", "-o", "small.json"),
        ("study", "tokenizer.json", LAMBDA),
    ],
)
def test_a_missing_tokenizer_says_how_to_train_one(words: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*words, folder=tmp_path)
    fails(done, "tokenizer.json: no such tokenizer; train one with 'genotok train-bpe genomes/*.fa'")


def test_a_missing_tokenizer_is_named_in_the_remedy(tmp_path: Path) -> None:
    fails(run("show", "-t", "my human.json", "ACGT", folder=tmp_path), "-o 'my human.json'")


def test_a_file_in_place_of_a_sequence_is_told_how_to_be_given(tmp_path: Path) -> None:
    for name in ("mine.json", "a b.fa"):
        (tmp_path / name).write_text(">a\nACGT\n", encoding="ascii")
    swapped = run("show", "mine.json", "ACGT", folder=tmp_path)
    fails(swapped, "mine.json: is a file, not a sequence; try: genotok show -t mine.json ACGT")
    fails(run("show", "a b.fa", folder=tmp_path), "try: genotok show - < 'a b.fa'")


def without(package: str, *arguments: str, folder: Path) -> Done:
    """The program where `package` is not installed."""
    program = f"import sys; sys.modules[{package!r}] = None; from genotok.cli import main; main()"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=ENVIRONMENT)


@pytest.mark.parametrize(
    ("words", "package", "extra"),
    [
        (("embed", LAMBDA, "--model", "m", "-o", "x.parquet"), "torch", "model"),
        (("convert", ".", "-o", "n"), "torch", "model"),
        (("pretrain", LAMBDA, "-o", "m"), "accelerate", "train"),
        (("finetune", ".", "--model", "m", "-o", "r"), "transformers", "train"),
        (("evaluate", "x.csv", "--model", "m"), "torch", "train"),
        (("predict", "x.csv", "--model", "m", "-o", "p.parquet"), "torch", "train"),
        (("compare", LAMBDA, "--gue", ".", "-o", "c"), "torch", "train"),
        (("report", ".", "-o", "r.html"), "jinja2", "report"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_command_without_its_extra_names_itself_and_the_extra(
    words: tuple[str, ...], package: str, extra: str, tmp_path: Path
) -> None:
    done = without(package, *words, folder=tmp_path)
    fails(done, f"{words[0]} needs {package}, which is not installed: pip install 'genotok[{extra}]'")
    assert os.listdir(tmp_path) == []


def test_ray_without_its_extra_says_so(tmp_path: Path) -> None:
    done = without("ray", "train-bpe", LAMBDA, "--ray", "local", folder=tmp_path)
    fails(done, "pip install 'genotok[ray]'")
