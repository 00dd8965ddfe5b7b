"""Many threads on one tokenizer, and data loaders that fork and spawn: equal to one thread and one process.

Not run: free-threaded Python, which was not to be had where these tests were written. The extension says
that it needs no GIL (`gil_used = false`), but is built for the stable interface of 3.11, which free-threaded
builds do not load.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

import genotok
from genotok import Tokenizer, _native
from genotok.dataset import TokenDataset
from genotok.dataset.encode import encode
from tests.support import dna
from tests.support.foreign import MERGES, base

if TYPE_CHECKING:
    from genotok.tokenizer.parts import Reencoding

THREADS = 16
ROOT = Path(__file__).resolve().parent.parent
LAMBDA = ROOT / "genomes" / "lambda_phage.fa"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(LAMBDA, vocab_size=512, threads=1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A plain file, a compressed one, and one with soft-masked and unknown bases."""
    folder = tmp_path_factory.mktemp("files")
    texts = [_native.simulate(120_000, seed).decode() for seed in (1, 2)]
    plain = Path(dna.write_fasta(folder / "plain.fa", texts))
    packed = folder / "packed.fa.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    masked = folder / "masked.fa"
    masked.write_text(f">a\n{texts[0][:50_000].lower()}NNNN{texts[1][:999]}\n>b\nACGT\n", encoding="utf-8")
    return [plain, packed, masked]


def rows_of(reader: Any) -> list[Any]:
    """The rows of a reader of files, with their names and places."""
    return [row for batch in reader for row in pa.record_batch(batch).to_pylist()]


def works(tokenizer: Tokenizer, files: list[Path]) -> dict[str, Callable[[], Any]]:
    """What a thread may do with a tokenizer; each returns something that can be compared."""
    text = _native.simulate(40_000, 7).decode()
    texts = [text[at : at + 997] for at in range(0, len(text), 997)]
    ids = tokenizer.encode(text)
    edits = [(at, at + 1, base) for at in range(100, 160) for base in "ACGT"]
    return {
        "encode": lambda: tokenizer.encode(text),
        "decode": lambda: tokenizer.decode(ids),
        "encode_batch": lambda: tokenizer.encode_batch(texts, threads=2).to_list(),
        "decode_batch": lambda: list(tokenizer.decode_batch([ids, ids[:9], []])),
        "count_tokens": lambda: tokenizer.count_tokens(texts).tolist(),
        "encode_files": lambda: rows_of(tokenizer.encode_files(files, threads=2, uppercase=True)),
        "encode_windows": lambda: rows_of(tokenizer.encode_files(files[0], threads=1, window=5000)),
        "reencode": lambda: changes(tokenizer.reencode(text, *edit) for edit in edits[:20]),
        "reencode_many": lambda: changes(tokenizer.reencode_many(text, edits)),
        "to_json": tokenizer.to_json,
        "train": lambda: Tokenizer.train(files[0], vocab_size=200, threads=2).to_json(),
        "error": lambda: refusal(lambda: tokenizer.encode_files(LAMBDA, window=0)),
    }


def changes(made: Iterable[Reencoding]) -> list[tuple[int, int, list[int], list[int]]]:
    """What edits change, as numbers."""
    return [(one.start, one.end, one.before.tolist(), one.after.tolist()) for one in made]


def refusal(work: Callable[[], object]) -> str:
    """The error of work that must fail."""
    with pytest.raises(genotok.ArgumentError) as refused:
        work()
    return str(refused.value)


def test_sixteen_threads_on_one_tokenizer_are_as_one(tokenizer: Tokenizer, files: list[Path]) -> None:
    todo = works(tokenizer, files)
    expected = {name: work() for name, work in todo.items()}
    names, start = list(todo), threading.Barrier(THREADS)
    wrong: list[str] = []
    done: list[str] = []

    def work(number: int) -> None:
        start.wait()
        for name in names[number % len(names) :] + names[: number % len(names)]:
            try:
                (done if todo[name]() == expected[name] else wrong).append(name)
            except Exception as error:  # noqa: BLE001 - a thread's exception would be lost
                wrong.append(f"{name}: {error!r}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(done) == THREADS * len(names)


def test_sixteen_threads_share_one_reader(tokenizer: Tokenizer, files: list[Path]) -> None:
    """Each row goes to one of them."""
    expected = rows_of(tokenizer.encode_files(files, uppercase=True, window=2000))
    reader = tokenizer.encode_files(files, uppercase=True, window=2000)
    found: list[Any] = []

    def work() -> None:
        for batch in reader:
            found.extend(pa.record_batch(batch).to_pylist())

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, found)) == sorted(map(str, expected))


# -- forked processes ------------------------------------------------------------------------------


def little(tokenizer: Tokenizer) -> dict[str, Callable[[], Any]]:
    """What the thread that calls does alone, in one part or in more than it has bases."""
    text = _native.simulate(12_000, 8).decode() + "N[MASK]x"
    texts = [text[at : at + 40] for at in range(0, len(text), 40)]
    lists = tokenizer.encode_batch(texts).to_list()
    edits = [(at, at + 1, base) for at in range(100) for base in "ACGT"]
    return {
        "encode": lambda: tokenizer.encode(text),
        "encode_batch of one": lambda: tokenizer.encode_batch(texts[:1]).to_list(),
        "encode_batch of two": lambda: tokenizer.encode_batch(texts[:2]).to_list(),
        "encode_batch": lambda: tokenizer.encode_batch(texts).to_list(),
        "count_tokens": lambda: tokenizer.count_tokens(texts).tolist(),
        "decode_batch": lambda: list(tokenizer.decode_batch(lists)),
        "decode_batch, plain": lambda: list(tokenizer.decode_batch(lists, skip_special_tokens=True)),
        "reencode_many": lambda: changes(tokenizer.reencode_many(texts[3] * 3, edits)),
    }


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("kind", ["byte pairs", "byte pairs, no automaton", "k-mers", "overlapping k-mers"])
@pytest.mark.parametrize("amount", ["little", "much"])
def test_a_forked_process_works_like_its_parent(
    tokenizer: Tokenizer, files: list[Path], kind: str, amount: str
) -> None:
    """It has none of the parent's threads, and must not wait for them."""
    no_training_makes = {"merges": [list(pair) for pair in reversed(MERGES)]}
    kinds = {
        "byte pairs": lambda: tokenizer,
        "byte pairs, no automaton": lambda: Tokenizer.from_json(json.dumps(base(model=no_training_makes))),
        "k-mers": lambda: Tokenizer.kmer(6, overlap=False),
        "overlapping k-mers": lambda: Tokenizer.kmer(6),
    }
    found = kinds[kind]()
    todo = little(found) if amount == "little" else works(found, files)
    if kind == "overlapping k-mers":  # which no edit changes alone
        todo = {name: work for name, work in todo.items() if not name.startswith("reencode")}
    expected = {name: work() for name, work in todo.items()}
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        try:
            for name, work in todo.items():
                signal.alarm(60)
                os.write(writing, f"{name}: {work() == expected[name]}\n".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        answers = told.read().splitlines()
    os.waitpid(child, 0)
    assert answers == [f"{name}: True" for name in todo]


# -- loaders ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def encoded(tokenizer: Tokenizer, files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files as rows in each form, and as a folder of shards."""
    folder = tmp_path_factory.mktemp("encoded")
    tokenizer.save(folder / "tokenizer.json")
    places = [folder / name for name in ("rows.arrow", "rows.parquet", "rows.bin", "shards")]
    for place in places:
        more: dict[str, Any] = {} if place.suffix else {"shard_size": 50_000}
        encode(tokenizer, list(map(str, files)), place, window=1000, uppercase=True, threads=2, **more)
    return places


# A process that is not forked loads torch anew.
ANEW = [pytest.param(context, marks=pytest.mark.slow) for context in ("forkserver", "spawn")]


@pytest.mark.parametrize("context", ["fork", *ANEW])
def test_loaders_of_all_forms_get_the_rows_of_one_process(encoded: list[Path], context: str) -> None:
    """The parent's threads are at work before the workers start."""
    data = pytest.importorskip("torch.utils.data", reason="needs torch: the extra `model`")
    sets = [TokenDataset(place) for place in encoded]
    expected = [ids.tolist() for one in sets for ids in one]
    assert len(expected) == len(encoded) * len(sets[0]) > 1000
    loader = data.DataLoader(
        data.ConcatDataset(sets),
        batch_size=32,
        num_workers=2 if context == "fork" else 1,
        collate_fn=list,
        multiprocessing_context=context,
    )
    assert [ids.tolist() for batch in loader for ids in batch] == expected


class OnTheFly:
    """Sequences that are encoded in the worker."""

    def __init__(self, tokenizer: Tokenizer, texts: list[str]) -> None:
        self.tokenizer, self.texts = tokenizer, texts

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> list[int]:
        (ids,) = self.tokenizer.encode_batch([self.texts[index]], threads=2).to_list()
        return list(ids)


@pytest.mark.parametrize("context", ["fork", *ANEW])
def test_workers_encode_as_the_parent_does(tokenizer: Tokenizer, context: str) -> None:
    data = pytest.importorskip("torch.utils.data", reason="needs torch: the extra `model`")
    texts = [_native.simulate(3000, seed).decode() for seed in range(40)]
    expected = tokenizer.encode_batch(texts, threads=2).to_list()  # the parent has its pool of threads
    loader = data.DataLoader(
        OnTheFly(tokenizer, texts),
        batch_size=4,
        num_workers=2 if context == "fork" else 1,
        collate_fn=list,
        multiprocessing_context=context,
    )
    assert [ids for batch in loader for ids in batch] == expected
