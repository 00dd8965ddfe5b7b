"""The command line as a user runs it: every test starts the program."""

from __future__ import annotations

import errno
import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import genotok
from genotok import _native
from tests.support.program import ENVIRONMENT, GENOMES, LAMBDA, PROGRAM, YEAST, fails, names, run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer of 300 tokens trained on phage lambda."""
    folder = tmp_path_factory.mktemp("trained")
    done = run("train-bpe", "--vocab", "300", "--quiet", LAMBDA, folder=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


# -- pages and usage --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["train-bpe", "truncate", "show", "info", "pack", "check", "embed"])
def test_every_command_has_a_page_and_the_front_page_lists_it(tmp_path: Path, command: str) -> None:
    front = run("--help", folder=tmp_path)
    page = run(command, "--help", folder=tmp_path)
    assert (front.returncode, front.stderr, page.returncode, page.stderr) == (0, "", 0, "")
    assert command in front.stdout
    assert f"genotok {command}" in page.stdout
    assert "Examples" in page.stdout
    assert max(len(line) for line in (front.stdout + page.stdout).splitlines()) <= 100


def test_every_option_is_explained(tmp_path: Path) -> None:
    page = run("train-bpe", "--help", folder=tmp_path).stdout
    for option in (
        "--vocab",
        "--output",
        "--special-tokens",
        "--min-frequency",
        "--max-token-length",
        "--word-length",
        "--both-strands",
        "--threads",
        "--resume",
        "--json",
        "--quiet",
    ):
        assert option in page
    assert "[UNK],[CLS],[SEP],[PAD],[MASK]" in page


def test_the_version_is_printed(tmp_path: Path) -> None:
    assert run("--version", folder=tmp_path).stdout == f"genotok {genotok.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["train-bpe"],
        ["train-bpe", "--no-such-option", LAMBDA],
        ["train-bpe", "--vocab", "many", LAMBDA],
        ["train-bpe", "--vocab", "-5", LAMBDA],
        ["train-bpe", "--threads", "0", LAMBDA],
        ["train-bpe", "--word-length", "0", LAMBDA],
        ["pack", LAMBDA],
        ["truncate", "tokenizer.json"],
        ["show"],
    ],
)
def test_wrong_usage_is_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    done = run(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Usage: genotok" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path) == set()


# -- train-bpe --------------------------------------------------------------------------------------


def test_training_writes_the_tokenizer_and_a_report(tmp_path: Path) -> None:
    done = run("train-bpe", "--vocab", "300", LAMBDA, YEAST, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert names(tmp_path) == {"tokenizer.json"}
    for part in ("300 tokens", "2 files", "278,720 bases", "bases per token", "Mbp/s", "tokenizer.json"):
        assert part in done.stdout
    tokenizer = genotok.Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert tokenizer == genotok.Tokenizer.train([LAMBDA, YEAST], vocab_size=300)


def test_the_report_as_json(tmp_path: Path) -> None:
    done = run("train-bpe", "--vocab", "300", "--json", "-o", "out.json", LAMBDA, folder=tmp_path)
    report = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert report["output"] == "out.json"
    assert report["vocab_size"] == 300
    assert report["bases"] == 48_502
    assert report["peak_memory_bytes"] > 1_000_000
    assert report["bases_per_second"] > 0
    assert names(tmp_path) == {"out.json"}


def test_the_options_reach_the_trainer(tmp_path: Path) -> None:
    options = ["--vocab", "200", "--both-strands", "--word-length", "500", "--max-token-length", "6"]
    options += ["--min-frequency", "9", "--threads", "1", "--special-tokens", "<a>,<b>", "--quiet"]
    done = run("train-bpe", *options, LAMBDA, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    expected = genotok.Tokenizer.train(
        LAMBDA,
        vocab_size=200,
        both_strands=True,
        word_length=500,
        max_token_length=6,
        min_frequency=9,
        special_tokens=["<a>", "<b>"],
    )
    assert (tmp_path / "tokenizer.json").read_text() == expected.to_json()


def test_no_special_tokens(tmp_path: Path) -> None:
    run("train-bpe", "--vocab", "50", "--special-tokens", "", LAMBDA, folder=tmp_path)
    assert genotok.Tokenizer.from_file(tmp_path / "tokenizer.json").special_tokens == []


def test_standard_input_is_a_file(tmp_path: Path) -> None:
    done = run("train-bpe", "--vocab", "300", "-", folder=tmp_path, stdin=Path(LAMBDA).read_text())
    assert done.returncode == 0, done.stderr
    expected = genotok.Tokenizer.train(LAMBDA, vocab_size=300)
    assert genotok.Tokenizer.from_file(tmp_path / "tokenizer.json") == expected


def test_a_used_up_corpus_is_no_error_but_said(tmp_path: Path) -> None:
    (tmp_path / "small.fa").write_text(">r\nACGTACGTNNACGT\n")
    done = run("train-bpe", "small.fa", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "stopped early" in done.stdout
    assert "2 N" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["missing.fa"], ["missing.fa", "No such file"]),
        (["*.fasta"], ["*.fasta", "no file matches"]),
        (["."], [".", "folder"]),
        (["good.fa", "./good.fa"], ["good.fa", "twice"]),
        (["empty.fa"], ["empty.fa"]),
        (["header.fa"], ["header.fa"]),
        (["protein.fa"], ["protein"]),
        (["binary.fa"], ["binary.fa"]),
        (["cut.fa.gz"], ["cut.fa.gz"]),
        (["--vocab", "3", "good.fa"], ["vocab_size=3"]),
        (["--special-tokens", "[UNK],GATTACA", "good.fa"], ["GATTACA"]),
        (["--resume", "good.fa"], ["out.json.checkpoint", "no checkpoint"]),
    ],
)
def test_bad_input_is_one_line_and_no_output(tmp_path: Path, arguments: list[str], parts: list[str]) -> None:
    good = ">r\n" + "ACGTTGCAACGGTTACA" * 20 + "\n"
    (tmp_path / "good.fa").write_text(good)
    (tmp_path / "empty.fa").write_text("")
    (tmp_path / "header.fa").write_text(">nothing\n")
    (tmp_path / "protein.fa").write_text(">p\nMKVLATTTLLSS\n")
    (tmp_path / "binary.fa").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "cut.fa.gz").write_bytes(gzip.compress(good.encode())[:-12])
    before = names(tmp_path)
    fails(run("train-bpe", "-o", "out.json", *arguments, folder=tmp_path), *parts)
    assert names(tmp_path) == before


# -- outputs that cannot be -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "part"),
    [
        ("no/such/folder.json", "does not exist"),
        ("folder", "is a folder"),
        ("genome.fa", "not a tokenizer"),
    ],
)
def test_an_impossible_output_is_found_before_anything_is_read(
    tmp_path: Path, output: str, part: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "genome.fa").write_text(">r\nACGT\n")
    before = names(tmp_path)
    # The input would be an error too, but is not opened.
    fails(run("train-bpe", "-o", output, "protein.fa", folder=tmp_path), output.partition("/")[0], part)
    assert names(tmp_path) == before
    assert (tmp_path / "genome.fa").read_text() == ">r\nACGT\n"


def test_a_packed_file_does_not_replace_a_genome(tmp_path: Path) -> None:
    (tmp_path / "genome.fa").write_text(">r\nACGT\n")
    fails(run("pack", LAMBDA, "-o", "genome.fa", folder=tmp_path), "genome.fa", "not a packed file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_what_may_not_be_read_or_written_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "a.fa").write_text(">r\nACGT\n")
    closed.chmod(0o000)
    try:
        fails(run("train-bpe", "closed/a.fa", folder=tmp_path), "closed/a.fa")
        closed.chmod(0o500)
        fails(run("train-bpe", "-o", "closed/out.json", LAMBDA, folder=tmp_path), "closed/out.json")
    finally:
        closed.chmod(0o700)


def test_a_full_disk_is_found_before_training(small_disk: Path, tmp_path: Path) -> None:
    fails(
        run("train-bpe", "-o", "disk/out.json", LAMBDA, folder=tmp_path),
        "disk/out.json",
        os.strerror(errno.ENOSPC),
    )
    assert names(small_disk) == set()


def test_a_disk_that_fills_while_writing_leaves_no_output(small_disk: Path, tmp_path: Path) -> None:
    fails(
        run("pack", str(GENOMES / "yeast_chrIV.fa"), "-o", "disk/out.pack", folder=tmp_path),
        "disk/out.pack",
        os.strerror(errno.ENOSPC),
    )
    assert names(small_disk) == set()


def test_a_full_standard_output_is_an_error(trained: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "info", "tokenizer.json"],
            cwd=trained,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == f"genotok: error: {os.strerror(errno.ENOSPC)}\n"


def test_a_closed_pipe_is_not_an_error(trained: Path) -> None:
    pipeline = f"'{sys.executable}' -m genotok show {'ACGT' * 20_000} | head -1"
    done = subprocess.run(
        ["bash", "-c", pipeline], cwd=trained, capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


# -- interrupted and killed -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, float]:
    """A folder with `large.fa` of 24 Mb, the tokenizer it gives, and the seconds training takes."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "large.fa").write_bytes(b">r\n" + _native.simulate(24_000_000, 7) + b"\n")
    start = time.monotonic()
    done = run("train-bpe", "--quiet", "--threads", "1", "-o", "whole.json", "large.fa", folder=folder)
    seconds = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    return folder, (folder / "whole.json").read_text(), seconds


def start_training(folder: Path, *options: str) -> subprocess.Popen[str]:
    """The same training, running."""
    return subprocess.Popen(
        [*PROGRAM, "train-bpe", "--threads", "1", *options, "large.fa"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


@pytest.mark.slow
def test_ctrl_c_leaves_a_checkpoint_that_resumes_to_the_same_result(large: tuple[Path, str, float]) -> None:
    folder, expected, seconds = large
    resumed = 0
    for part in (0.3, 0.5, 0.7, 0.85):
        output = folder / f"{part}.json"
        checkpoint = folder / f"{part}.json.checkpoint"
        training = start_training(folder, "-o", output.name)
        time.sleep(max(seconds * part, 0.5))
        training.send_signal(signal.SIGINT)
        asked = time.monotonic()
        stdout, stderr = training.communicate(timeout=60)
        if training.returncode in {0, -signal.SIGINT} and output.exists():
            continue  # it was faster than the first time: done, and at most met while Python shut down
        assert training.returncode == 130, stderr
        assert time.monotonic() - asked < 5  # a second, and some more on a busy machine
        assert stdout == ""
        assert stderr.splitlines()[-1].startswith("genotok: interrupted ")
        assert "Traceback" not in stderr
        assert not output.exists()
        if not checkpoint.exists():
            assert "nothing was written" in stderr
            continue
        assert "--resume" in stderr
        done = run("train-bpe", "--quiet", "--resume", "-o", output.name, "large.fa", folder=folder)
        assert done.returncode == 0, done.stderr
        assert output.read_text() == expected
        assert not checkpoint.exists()
        resumed += 1
    assert resumed, "no interrupt met a training under way"


@pytest.mark.slow
def test_a_kill_leaves_no_half_written_file(large: tuple[Path, str, float]) -> None:
    folder, expected, seconds = large
    for step in range(5):
        training = start_training(folder, "-o", "killed.json")
        time.sleep(seconds * (0.5 + step / 8))
        training.kill()
        training.communicate(timeout=60)
        output = folder / "killed.json"
        if output.exists():
            assert output.read_text() == expected
            output.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("producer", ["printf '>r\\n'; exec yes ACGTTGCA", "exec sleep 120"])
def test_ctrl_c_stops_reading_too(tmp_path: Path, producer: str) -> None:
    """A pipe that never ends, and one without a writer."""
    with (
        subprocess.Popen(["bash", "-c", producer], stdout=subprocess.PIPE) as source,
        subprocess.Popen(
            [*PROGRAM, "train-bpe", "-"], cwd=tmp_path, stdin=source.stdout, stderr=subprocess.PIPE, text=True
        ) as training,
    ):
        try:
            time.sleep(2)
            training.send_signal(signal.SIGINT)
            asked = time.monotonic()
            stderr = training.communicate(timeout=60)[1]
        finally:
            training.kill()
            source.kill()
    assert time.monotonic() - asked < 5
    assert training.returncode == 130
    assert "interrupted" in stderr
    assert names(tmp_path) == set()


def test_a_forgotten_checkpoint_is_mentioned(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json.checkpoint").write_text('{"format":"genotok checkpoint"}')
    done = run("train-bpe", "--vocab", "50", LAMBDA, folder=tmp_path)
    assert done.returncode == 0
    assert "tokenizer.json.checkpoint is left from an interrupted run" in done.stderr


# -- the other commands -----------------------------------------------------------------------------


def test_truncate_equals_training_at_that_size(trained: Path, tmp_path: Path) -> None:
    source = str(trained / "tokenizer.json")
    done = run("truncate", source, "--vocab", "100", "-o", "small.json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "100 tokens" in done.stdout
    expected = genotok.Tokenizer.train(LAMBDA, vocab_size=100)
    assert (tmp_path / "small.json").read_text() == expected.to_json()
    fails(run("truncate", source, "--vocab", "301", "-o", "more.json", folder=tmp_path), "301")
    assert names(tmp_path) == {"small.json"}


def test_pack_gives_the_same_tokenizer(tmp_path: Path) -> None:
    done = run("pack", LAMBDA, YEAST, "-o", "corpus.pack", "--json", folder=tmp_path)
    report = json.loads(done.stdout)
    assert report["bases"] == 278_720
    assert report["bytes"] == (tmp_path / "corpus.pack").stat().st_size
    run("train-bpe", "--vocab", "300", "--quiet", "corpus.pack", folder=tmp_path)
    expected = genotok.Tokenizer.train([LAMBDA, YEAST], vocab_size=300)
    assert (tmp_path / "tokenizer.json").read_text() == expected.to_json()
    again = run("pack", LAMBDA, "-o", "corpus.pack", "--force", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "48,502 bases" in again.stdout


def test_show_prints_tokens_over_ids(trained: Path) -> None:
    sequence = "ACGTTGCAACGTTTTTTT"
    tokenizer = genotok.Tokenizer.from_file(trained / "tokenizer.json")
    done = run("show", sequence, folder=trained)
    above, below, last = done.stdout.splitlines()
    assert "".join(above.split()) == sequence
    assert [int(word) for word in below.split()] == tokenizer.encode(sequence)
    assert last.startswith("18 symbols, ")


def test_show_wraps_to_the_terminal(trained: Path) -> None:
    done = run("show", "GATTACA" * 60, folder=trained)
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert "".join("".join(lines[:-1:2]).split()) == "GATTACA" * 60


def test_show_steps_end_in_the_tokens(trained: Path) -> None:
    done = run("show", "--steps", "--json", "gattaca", "ACGT", folder=trained)
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert first["steps"][0]["rank"] is None
    assert first["steps"][-1]["tokens"] == first["tokens"]
    assert second["sequence"] == "ACGT"
    plain = run("show", "--steps", "GATTACA", folder=trained).stdout
    assert plain.startswith("symbols\n  G A T T A C A\n")
    assert plain.count("rank ") == len(first["steps"]) - 1


def test_show_reads_fasta_from_standard_input(trained: Path) -> None:
    done = run("show", "--json", "-", folder=trained, stdin=">r some words\nACGT\nTTGA\n")
    assert json.loads(done.stdout)["sequence"] == "ACGTTTGA"


def test_info_describes_a_tokenizer_and_the_machine(trained: Path) -> None:
    facts = json.loads(run("info", "tokenizer.json", "--json", folder=trained).stdout)
    assert facts["vocab_size"] == 300
    assert sum(facts["lengths"].values()) == 300 - 5
    assert facts["lengths"]["1"] == 4
    assert facts["automaton_states"] > 300
    assert facts["automaton_bytes"] > 5 * 2 * facts["automaton_states"]
    described = run("info", "tokenizer.json", folder=trained).stdout
    assert "300 tokens" in described
    assert f"{facts['automaton_states']:,} states" in described
    assert genotok.__version__ in run("info", folder=trained).stdout


@pytest.mark.parametrize("command", [["show", "-t", "bad.json", "ACGT"], ["info", "bad.json"]])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": 1}', "\x00" * 100, ">r\nACGT\n"])
def test_a_damaged_tokenizer_is_one_line(tmp_path: Path, command: list[str], content: str) -> None:
    (tmp_path / "bad.json").write_text(content)
    fails(run(*command, folder=tmp_path))


@pytest.mark.parametrize(
    ("command", "said"),
    [(["show", "-t", "none.json", "ACGT"], "no such tokenizer"), (["info", "none.json"], "No such file")],
)
def test_a_missing_tokenizer_is_named(tmp_path: Path, command: list[str], said: str) -> None:
    fails(run(*command, folder=tmp_path), "none.json", said)


# -- on a terminal ----------------------------------------------------------------------------------


def on_a_terminal(*arguments: str, folder: Path) -> str:
    """The output of the program if all its streams are a terminal."""
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in ENVIRONMENT.items() if key != "NO_COLOR"}
    with subprocess.Popen(
        [*PROGRAM, *arguments], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as program:
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:  # Linux reports the end of a terminal as an error
            pass
        os.close(ours)
        assert program.wait(timeout=60) == 0, written
    return written.decode()


def test_a_terminal_gets_colours_and_progress(tmp_path: Path) -> None:
    written = on_a_terminal("train-bpe", "--vocab", "300", YEAST, folder=tmp_path)
    assert "\x1b[" in written
    assert "300 tokens" in written
    shown = on_a_terminal("show", "ACGTTGCA", folder=tmp_path)
    assert "\x1b[" in shown
    quiet = on_a_terminal("train-bpe", "--vocab", "300", "--quiet", YEAST, folder=tmp_path)
    assert quiet == ""
