"""Many inputs cost what one costs, and give what one gives: no stack, no open files, no other merges."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import genotok
from genotok import SequenceFileError, SymbolError, Tokenizer, _native, pack_shards
from genotok.files.paths import expand
from genotok.tokenizer import reference
from tests.support import dna

FEW_OPEN = 24
"""Files that a process may have open: fewer than there are inputs."""


def limited() -> None:
    """Few open files."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_OPEN, FEW_OPEN))


COMMANDS = """
import contextlib, io, json, sys
from genotok.cli import app
told = []
for words in json.loads(sys.argv[1]):
    sys.argv = ["genotok", *words]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        told.append((int(app._run() or 0), out, err))
print(json.dumps([(code, out.getvalue(), err.getvalue()) for code, out, err in told]))
"""


def run(*commands: list[str], folder: Path) -> list[str]:
    """What commands print, one after the other in one process that may open few files.

    A process of its own: what kills it does not kill the tests. One for all: starting takes as long as most.
    """
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps(commands)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        preexec_fn=limited,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    told = json.loads(done.stdout)
    for command, (code, _, err) in zip(commands, told, strict=True):
        assert code == 0, (command, code, err)
    return [out for _, out, _ in told]


def write_many(folder: Path, sequences: list[str]) -> str:
    """A file each; their pattern."""
    folder.mkdir()
    for number, sequence in enumerate(sequences):
        dna.write_fasta(folder / f"{number:05}.fa", [sequence])
    return str(folder / "*.fa")


def pieces(count: int, bases: int) -> list[str]:
    """Simulated DNA in pieces."""
    text = _native.simulate(count * bases, count).decode()
    return [text[start : start + bases] for start in range(0, count * bases, bases)]


@settings(max_examples=40)
@given(
    st.lists(dna.words, min_size=1, max_size=60),
    st.one_of(st.none(), st.integers(1, 50)),
    st.booleans(),
    st.sampled_from([1, 2, 3]),
    st.sampled_from(["files", "packed", "shards"]),
)
def test_many_small_inputs_equal_the_reference(
    words: list[str], word_length: int | None, both_strands: bool, threads: int, form: str
) -> None:
    with tempfile.TemporaryDirectory() as place:
        # Equal files would count twice, which a folder of shards refuses.
        sequences = [word + "N" * number for number, word in enumerate(words)]
        paths: Any = expand(write_many(Path(place) / "many", sequences))
        if form == "packed":
            for path in paths[::2]:
                genotok.pack(path, f"{path}.pack")
            paths = [path if number % 2 else f"{path}.pack" for number, path in enumerate(paths)]
        elif form == "shards":
            pack_shards(paths, Path(place) / "shards", shard_size=40)
            paths = Path(place) / "shards"
        options: dict[str, Any] = {"word_length": word_length, "both_strands": both_strands}
        tokenizer = Tokenizer.train(
            paths, vocab_size=dna.EXHAUSTING_VOCAB, special_tokens=[], threads=threads, **options
        )
    cut = [piece for word in words for piece in reference.words_of(word, word_length)]
    if both_strands:
        cut += [reference.reverse_complement(piece) for piece in cut]
    assert tokenizer.merges == reference.train(cut, dna.EXHAUSTING_VOCAB, special_tokens=[])
    report = tokenizer.report
    assert report is not None
    assert (report["files"], report["records"], report["words"]) == (
        len(words) if form != "shards" else report["files"],
        len(words),
        len(cut) // (1 + both_strands),
    )


@pytest.mark.parametrize("options", [[], ["--both-strands", "--word-length", "700"], ["--memory", "1G"]])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_files_that_a_sample_must_not_take_whole(tmp_path: Path, options: list[str], threads: str) -> None:
    """So many of so many bases that a stretch of each was as much as all of them."""
    sequences = pieces(130, 8300)
    many = write_many(tmp_path / "many", sequences)
    one = dna.write_fasta(tmp_path / "one.fa", sequences)
    pack_shards(many, tmp_path / "shards")
    inputs = {"one": str(one), "many": many, "shards": "shards"}
    always = ["--vocab", "600", "--json", "-q", "--threads", threads, *options]
    told = run(
        *(["train-bpe", paths, "-o", f"{name}.json", *always] for name, paths in inputs.items()),
        folder=tmp_path,
    )
    found = []
    for name, out in zip(inputs, told, strict=True):
        report = json.loads(out)
        content = [report[key] for key in ("records", "words", "bases", "tokens", "fingerprint")]
        found.append((content, (tmp_path / f"{name}.json").read_text()))
    assert found[0] == found[1] == found[2]


FORMS = ("arrow", "arrow-stream", "parquet", "megatron")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every command makes of twice as many files as it may open."""
    folder = tmp_path_factory.mktemp("made")
    write_many(folder / "many", pieces(2 * FEW_OPEN, 90))
    run(
        ["train-bpe", "many/*.fa", "--vocab", "100", "-o", "u.json"],
        ["pack", "many/*.fa", "-o", "one.pack"],
        ["pack", "many/*.fa", "-o", "packed/"],
        ["train-bpe", "packed", "--vocab", "100", "-o", "v.json"],
        ["verify", "packed"],
        ["check", "many/*.fa"],
        ["encode", "many/*.fa", "-t", "u.json", "-o", "one.arrow"],
        *(["encode", "many/*.fa", "-t", "u.json", "-o", f"{form}/", "--format", form] for form in FORMS),
        *(["verify", form] for form in FORMS),
        folder=folder,
    )
    return folder


def test_no_command_keeps_its_inputs_open(made: Path) -> None:
    assert (made / "u.json").read_text() == (made / "v.json").read_text()


ROWS = """
import sys
from genotok.dataset import TokenDataset
for path in sys.argv[1:]:
    data = TokenDataset(path)
    rows = list(data)
    print(len(rows), sum(map(len, rows)), sum(len(data[row]) for row in range(len(data))))
"""


def test_a_data_set_may_have_more_shards_than_open_files(made: Path) -> None:
    sequences = pieces(2 * FEW_OPEN, 90)
    tokens = sum(Tokenizer.from_file(made / "u.json").count_tokens(sequences))
    command = [sys.executable, "-c", ROWS, "one.arrow", *FORMS]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False, preexec_fn=limited)
    assert done.stdout.splitlines() == [f"{len(sequences)} {tokens} {tokens}"] * 5, done.stderr
    assert all(
        len(list((made / form).glob("*.idx" if form == "megatron" else "0*"))) >= len(sequences)
        for form in FORMS
    )


@pytest.mark.parametrize(
    ("content", "says"), [(">a\nACGE\n", "'E'"), (">a\n", "no symbol in its 1 records"), ("", "is empty")]
)
def test_the_file_at_fault_is_named(tmp_path: Path, content: str, says: str) -> None:
    many = write_many(tmp_path / "many", pieces(40, 30))
    for bad in (tmp_path / "many" / "00017.fa", tmp_path / "many" / "00031.fa"):
        bad.write_text(content)
    for threads in (1, 2):
        with pytest.raises((SequenceFileError, SymbolError), match=r"00017\.fa") as caught:
            Tokenizer.train(many, vocab_size=100, threads=threads)
        assert says in str(caught.value)


def test_a_packed_file_of_many_is_that_of_one(tmp_path: Path) -> None:
    sequences = ["N", *pieces(300, 37), "NNACGTNN"]
    many = write_many(tmp_path / "many", sequences)
    one = dna.write_fasta(tmp_path / "one.fa", sequences)
    for paths, name in ((many, "many.pack"), (one, "one.pack")):
        genotok.pack(paths, tmp_path / name)
    assert (tmp_path / "many.pack").read_bytes() == (tmp_path / "one.pack").read_bytes()


def test_files_with_several_names(tmp_path: Path) -> None:
    """Another name that a file system keeps for the same bytes is another file; a link is not."""
    path = tmp_path / "a.fa"
    path.write_text(">a\nACGT\n")
    os.link(path, tmp_path / "b.fa")
    os.link(path, tmp_path / "c.fa")
    assert len(expand(str(tmp_path / "*.fa"))) == 3
    os.symlink("b.fa", tmp_path / "d.fa")
    with pytest.raises(genotok.ArgumentError, match=r"d\.fa: given twice \(as .*b\.fa and as"):
        expand(str(tmp_path / "*.fa"))
