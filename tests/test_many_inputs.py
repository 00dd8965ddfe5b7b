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
from genotok import SequenceFileError, SymbolError, Tokenizer, _native, pack_shards, reference
from genotok.dataset.encode import encode
from genotok.inputs import expand
from tests import dna

FEW_OPEN = 48
"""Files that a process may have open: fewer than there are inputs."""


def limited() -> None:
    """Few open files."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_OPEN, FEW_OPEN))


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`genotok` in a process that may open few files: what kills it does not kill the tests."""
    return subprocess.run(
        [sys.executable, "-m", "genotok", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        preexec_fn=limited,
    )


def write_many(folder: Path, sequences: list[str]) -> str:
    """A file each; their pattern."""
    folder.mkdir()
    for number, sequence in enumerate(sequences):
        dna.write_fasta(folder / f"{number:05}.fa", [sequence])
    return str(folder / "*.fa")


def pieces(count: int, bases: int) -> list[str]:
    """Simulated DNA in pieces."""
    letters = _native.simulate(count * bases, count).decode()
    return [letters[start : start + bases] for start in range(0, count * bases, bases)]


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
    found = []
    for paths in (one, many, "shards"):
        arguments = [paths, "--vocab", "600", "-o", "t.json", "--json", "-q", "--threads", threads]
        done = run("train-bpe", *arguments, *options, folder=tmp_path)
        assert done.returncode == 0, (paths, done.returncode, done.stderr)
        report = json.loads(done.stdout)
        content = [report[key] for key in ("records", "words", "bases", "tokens", "fingerprint")]
        found.append((content, (tmp_path / "t.json").read_text()))
    assert found[0] == found[1] == found[2]


def test_no_command_keeps_its_inputs_open(tmp_path: Path) -> None:
    count = 3 * FEW_OPEN
    write_many(tmp_path / "many", pieces(count, 90))
    Tokenizer.train(str(tmp_path / "many" / "*.fa"), vocab_size=100).save(tmp_path / "t.json")
    for command in (
        ["train-bpe", "many/*.fa", "--vocab", "100", "-o", "u.json"],
        ["pack", "many/*.fa", "-o", "one.pack"],
        ["pack", "many/*.fa", "-o", "packed/"],
        ["train-bpe", "packed", "--vocab", "100", "-o", "v.json"],
        ["verify", "packed"],
        ["check", "many/*.fa"],
        ["encode", "many/*.fa", "-t", "t.json", "-o", "one.arrow"],
        *(["encode", "many/*.fa", "-t", "t.json", "-o", f"{form}/", "--format", form] for form in FORMS),
        *(["verify", form] for form in FORMS),
    ):
        done = run(*command, folder=tmp_path)
        assert done.returncode == 0, (command, done.stderr)
    assert (tmp_path / "u.json").read_text() == (tmp_path / "v.json").read_text()


FORMS = ("arrow", "arrow-stream", "parquet", "megatron")
ROWS = """
import sys
from genotok.dataset import TokenDataset
data = TokenDataset(sys.argv[1])
rows = list(data)
print(len(rows), sum(map(len, rows)), sum(len(data[row]) for row in range(len(data))))
"""


@pytest.mark.parametrize("form", FORMS)
def test_a_data_set_may_have_more_shards_than_open_files(tmp_path: Path, form: str) -> None:
    count = 2 * FEW_OPEN
    many = write_many(tmp_path / "many", pieces(count, 90))
    tokenizer = Tokenizer.train(many, vocab_size=100)
    report = encode(tokenizer, many, f"{tmp_path}/shards/", format=form)
    command = [sys.executable, "-c", ROWS, f"{tmp_path}/shards"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limited)
    assert done.stdout.split() == [str(count), *[str(report["tokens"])] * 2], done.stderr


@pytest.mark.parametrize(
    ("content", "says"), [(">a\nACGE\n", "'E'"), (">a\n", "no letter in its 1 records"), ("", "is empty")]
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
