"""Ctrl-C takes effect while sequences are encoded, and other threads go on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import genotok
from tests.support import dna
from tests.support.children import PATIENCE_SECONDS, Child

THROUGH_PYARROW = """
import pyarrow
while True:
    try:
        for batch in pyarrow.RecordBatchReader.from_stream(open()):
            pass
    except pyarrow.ArrowInvalid:
        pass
"""
DIRECTLY = """
while True:
    for batch in open():
        pass
"""
SET_UP = "import genotok; tokenizer = genotok.Tokenizer.from_file({tokenizer!r}); "


@pytest.fixture(scope="module")
def tokenizer(train_words: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")
    train_words([genotok._native.simulate(20_000, 5).decode()], vocab_size=300).save(path)
    return path


@pytest.mark.parametrize("method", ["encode_batch", "count_tokens"])
def test_encoding_many_stops(tokenizer: str, children: list[Child], method: str) -> None:
    work = f"text = ['ACGTTGCA' * 1_000_000] * 100; exec('while True: tokenizer.{method}(text)')"
    children.append(Child("any", SET_UP.format(tokenizer=tokenizer) + work))
    children[0].wait_until_working()
    time.sleep(1.5)
    assert children[0].interrupt() < PATIENCE_SECONDS


@pytest.mark.parametrize(
    "work",
    [
        f"exec({DIRECTLY!r})",
        # pyarrow says that its stream failed; the interrupt comes right after it.
        f"exec({THROUGH_PYARROW!r})",
    ],
    ids=["iterator", "stream"],
)
@pytest.mark.parametrize("is_stalled", [False, True])
def test_encoding_files_stops(
    tokenizer: str, tmp_path: Path, children: list[Child], work: str, is_stalled: bool
) -> None:
    path = tmp_path / "pipe.fa"
    if is_stalled:
        os.mkfifo(path)
    else:
        path.write_bytes(b">a\n" + genotok._native.simulate(1_000_000, 1) * 150 + b"\n")
    open_it = f"open = lambda: tokenizer.encode_files({str(path)!r}, window=1000); "
    children.append(Child("any", SET_UP.format(tokenizer=tokenizer) + open_it + work))
    children[0].wait_until_working()
    time.sleep(1.0)
    assert children[0].interrupt() < PATIENCE_SECONDS


def test_a_reader_that_is_let_go_lets_go_of_its_threads(tokenizer: str, tmp_path: Path) -> None:
    own = genotok.Tokenizer.from_file(tokenizer)
    path = dna.write_fasta(tmp_path / "a.fa", ["ACGT" * 100_000] * 40)

    def count() -> int:
        return len(os.listdir("/proc/self/task"))

    if not Path("/proc/self/task").is_dir():
        pytest.skip("threads can be counted on Linux only")
    for _ in own.encode_files(path, threads=2):
        break  # lets what is made once be made
    before = count()
    for _ in range(5):
        next(own.encode_files(path, batch_bases=1_000_000, threads=2))
        with own.encode_files(path, batch_bases=1_000_000, threads=2) as reader:
            next(reader)
    end = time.monotonic() + 10
    while count() > before and time.monotonic() < end:
        time.sleep(0.02)
    assert count() <= before


def test_other_threads_go_on_while_encoding(tokenizer: str, tmp_path: Path) -> None:
    own = genotok.Tokenizer.from_file(tokenizer)
    texts = [genotok._native.simulate(3_000_000, seed).decode() for seed in range(3)]
    path = dna.write_fasta(tmp_path / "a.fa", texts)
    for work in (
        lambda: own.encode_batch(texts, threads=1),
        lambda: own.count_tokens(texts, threads=1),
        lambda: list(own.encode_files(path, threads=1)),
        lambda: own.encode(texts[0]),
    ):
        woken = 0
        done = threading.Event()

        def count(done: threading.Event = done) -> None:
            nonlocal woken
            while not done.wait(0.002):
                woken += 1

        counter = threading.Thread(target=count)
        counter.start()
        start = time.monotonic()
        try:
            while time.monotonic() < start + 0.3:
                work()
        finally:
            seconds = time.monotonic() - start
            done.set()
            counter.join()
        assert woken > 0.1 * seconds / 0.002


def test_two_threads_share_a_reader(tokenizer: str, tmp_path: Path) -> None:
    own = genotok.Tokenizer.from_file(tokenizer)
    path = dna.write_fasta(tmp_path / "a.fa", ["ACGT" * 1000] * 500)
    reader = own.encode_files(path, batch_bases=20_000)
    found: list[int] = []

    def take() -> None:
        found.extend(len(batch) for batch in reader)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 500
