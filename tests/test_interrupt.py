"""Ctrl-C takes effect within about a second in every phase, and other threads run while the core works."""

from __future__ import annotations

import gzip
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genotok import _native
from tests.support import dna
from tests.support.children import PATIENCE_SECONDS, Child

if TYPE_CHECKING:
    from tests.support.training import Training


TRAIN = """_native.Tokenizer.train(
        [{path!r}], TrainOptions(vocab_size=30_000, special_tokens=("[UNK]",), both_strands=True,
        checkpoint={checkpoint!r}), RunOptions(threads={threads}, progress=progress))"""


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A FASTA file of 30 Mb, enough for seconds of training at a large vocabulary."""
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_bytes(b">simulated\n" + _native.simulate(30_000_000, 9) + b"\n")
    return str(path)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("delay_seconds", [0.0, 0.7])
def test_training_stops(
    genome: str, tmp_path: Path, children: list[Child], threads: int, delay_seconds: float
) -> None:
    checkpoint = tmp_path / "checkpoint"
    call = TRAIN.format(path=genome, threads=threads, checkpoint=str(checkpoint))
    children.append(Child("training", call))
    children[0].wait_until_working()
    time.sleep(delay_seconds)
    assert children[0].interrupt() < PATIENCE_SECONDS
    assert {path.name for path in tmp_path.iterdir()} <= {"checkpoint"}


def test_reading_stops(tmp_path: Path, children: list[Child]) -> None:
    """A file that takes long to read because it unpacks to much: 4 Gb of N."""
    member = gzip.compress(b"N" * 10_000_000, 1)
    path = tmp_path / "long.fa.gz"
    path.write_bytes(gzip.compress(b">r\nACGT\n") + member * 400)
    children.append(Child("reading", TRAIN.format(path=str(path), threads=1, checkpoint=None)))
    children[0].wait_until_working()
    assert children[0].interrupt() < PATIENCE_SECONDS


@pytest.mark.parametrize("sent", [None, b"", b">r1\nACGTACGT", b"\x1f\x8b"])
def test_reading_a_stalled_pipe_stops(tmp_path: Path, children: list[Child], sent: bytes | None) -> None:
    """A named pipe that nobody writes to (None), or whose writer says something and then no more."""
    path = tmp_path / "pipe.fa"
    os.mkfifo(path)
    children.append(Child("any", TRAIN.format(path=str(path), threads=1, checkpoint=None)))
    children[0].wait_until_working()
    writer = None if sent is None else os.open(path, os.O_WRONLY)
    if writer is not None:
        os.write(writer, sent or b"")
    time.sleep(0.5)
    assert children[0].interrupt() < PATIENCE_SECONDS
    if writer is not None:
        os.close(writer)


def test_reading_a_stalled_standard_input_stops(children: list[Child]) -> None:
    children.append(Child("any", TRAIN.format(path="-", threads=1, checkpoint=None)))
    children[0].wait_until_working()
    time.sleep(0.5)
    assert children[0].interrupt() < PATIENCE_SECONDS


def test_packing_stops_and_leaves_nothing(tmp_path: Path, children: list[Child]) -> None:
    pipe = tmp_path / "pipe.fa"
    os.mkfifo(pipe)
    packed = str(tmp_path / "out.packed")
    children.append(
        Child("any", f"_native.pack([{str(pipe)!r}], {packed!r}, _native.MAX_UNKNOWN, RunOptions(threads=1))")
    )
    children[0].wait_until_working()
    writer = os.open(pipe, os.O_WRONLY)
    os.write(writer, b">r1\n" + b"ACGTTGCA" * 4000)
    time.sleep(0.5)
    assert children[0].interrupt() < PATIENCE_SECONDS
    os.close(writer)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe.fa"]


def test_a_killed_training_leaves_no_half_written_file(
    genome: str, tmp_path: Path, children: list[Child], train: Training
) -> None:
    """After SIGKILL there is a checkpoint that can be resumed, or none."""
    checkpoint = tmp_path / "checkpoint"
    call = TRAIN.format(path=genome, threads=2, checkpoint=str(checkpoint))
    children.append(Child("training", call))
    children[0].wait_until_working()
    time.sleep(0.4)
    children[0].end()
    assert {path.name for path in tmp_path.iterdir()} <= {"checkpoint"}
    if checkpoint.exists():
        options = {"special_tokens": ["[UNK]"], "both_strands": True, "vocab_size": 300}
        _, report = train([genome], checkpoint=str(checkpoint), resume=True, **options)
        assert report["vocab_size"] == 300


def test_other_threads_go_on_while_training(train: Training, genome: str) -> None:
    """The interpreter's lock is released: a thread that wakes every 5 ms does so most of the time."""
    woken = 0
    done = threading.Event()

    def count() -> None:
        nonlocal woken
        while not done.wait(0.005):
            woken += 1

    counter = threading.Thread(target=count)
    counter.start()
    start = time.monotonic()
    try:
        train([genome], vocab_size=600, threads=1)
    finally:
        seconds = time.monotonic() - start
        done.set()
        counter.join()
    assert seconds > 0.1
    assert woken > 0.2 * seconds / 0.005


def test_trainings_in_several_threads_do_not_disturb_each_other(train: Training, tmp_path: Path) -> None:
    path = dna.write_fasta(tmp_path / "dna.fa", [_native.simulate(300_000, 4).decode()])
    expected = train([path], vocab_size=500)[0].to_json()
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(train([path], vocab_size=500, threads=1)[0].to_json()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [expected] * 4
