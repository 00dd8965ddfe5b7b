"""Pre-training on windows that are cut anew in each epoch: where they are, and runs on them."""

from __future__ import annotations

import json
import pickle
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")

from torch.utils.data import DataLoader  # noqa: E402

from genotok import Tokenizer, pack, pack_shards  # noqa: E402
from genotok.corpus.mapped import PackedWords  # noqa: E402
from genotok.errors import ArgumentError, SequenceFileError  # noqa: E402
from genotok.pretrain import PretrainConfig, pretrain  # noqa: E402
from genotok.pretrain.ahead import PrefetchBlocks, WindowRun  # noqa: E402
from genotok.pretrain.stretches import FixedWindows, Stretches, WindowEncoder  # noqa: E402
from genotok.pretrain.windows import Epoch, Epochs  # noqa: E402
from genotok.report import read_records  # noqa: E402
from genotok.report.pretraining import _facts  # noqa: E402
from genotok.tokenizer.special_ids import SpecialIds  # noqa: E402
from genotok.training.batches import Masking  # noqa: E402
from genotok.training.settings import configured  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
LAMBDA = str(ROOT / "genomes" / "lambda_phage.fa")
COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")
SMALL = {
    "encoder": "tiny-1m",
    "steps": 8,
    "batch": 8,
    "micro_batch": 8,
    "warmup": 2,
    "learning_rate": 2e-3,
    "evaluate_every": 4,
    "evaluate_sequences": 16,
    "save_every": 3,
    "log_every": 1,
}

Lengths = st.lists(st.integers(1, 60), max_size=8)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    Tokenizer.train(LAMBDA, vocab_size=64).save(path)
    return str(path)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words of 1 to 300 bases, one of them alone in its record."""
    folder = tmp_path_factory.mktemp("words")
    draw = np.random.default_rng(1)
    lines = []
    for record in range(3):
        parts = ["".join(draw.choice(list("ACGT"), size)) for size in (300, 1, 4, 37, 10, 150)]
        lines += [f">r{record}", "NN".join(parts)]
    (folder / "words.fa").write_text("\n".join([*lines, ">last", "acgtta" * 4]) + "\n")
    pack(folder / "words.fa", folder / "words.pack")
    pack_shards(folder / "words.fa", folder / "shards", shard_size=400)
    return folder


def texts(words: Path) -> list[bytes]:
    """The words of the file, by a plain reader."""
    records = (words / "words.fa").read_text().upper().split("\n")[1::2]
    return [part.encode() for record in records for part in record.split("N") if part]


# -- packed words -----------------------------------------------------------------------------------


def test_any_stretch_of_packed_words_is_that_of_the_file(words: Path) -> None:
    expected = texts(words)
    shards = sorted((words / "shards").glob("*.pack"))
    assert len(shards) > 1
    for paths in ([words / "words.pack"], shards):
        packed = PackedWords(paths)
        assert packed.lengths.tolist() == [len(each) for each in expected]
        again = pickle.loads(pickle.dumps(packed))
        for word, text in enumerate(expected):
            for first in range(min(len(text), 9)):
                for end in {first, first + 1, len(text) - 1, len(text)} - {first - 1}:
                    assert packed.bases(word, first, end) == text[first:end]
            assert again.bases(word, 0, len(text), reverse=True) == text.translate(COMPLEMENT)[::-1]
        for first, end in ((-1, 2), (2, 1), (0, 301)):
            with pytest.raises(IndexError):
                packed.bases(0, first, end)


def test_a_damaged_packed_file_is_refused(words: Path, tmp_path: Path) -> None:
    content = bytearray((words / "words.pack").read_bytes())
    content[-1] ^= 1
    (tmp_path / "x.pack").write_bytes(content)
    with pytest.raises(SequenceFileError, match="checksum"):
        PackedWords([tmp_path / "x.pack"])


# -- where windows are ------------------------------------------------------------------------------


@given(Lengths, st.integers(1, 70), st.integers(0, 3), st.integers(0, 5))
def test_an_epoch_has_every_base_once(lengths: list[int], window: int, seed: int, number: int) -> None:
    epoch = Epoch(np.array(lengths, np.int64), window, seed, number)
    windows = sorted(epoch[index] for index in range(len(epoch)))
    covered = [(one.word, base) for one in windows for base in range(one.first, one.end)]
    assert covered == [(word, base) for word, length in enumerate(lengths) for base in range(length)]
    assert all(0 < one.end - one.first <= window for one in windows)
    for word, group in groupby(windows, key=lambda one: one.word):
        sizes = [one.end - one.first for one in group]
        assert set(sizes[1:-1]) <= {window}
        assert len(sizes) == 1 or lengths[word] > window


@given(st.integers(1, 20), st.integers(0, 3))
def test_cuts_are_at_every_place_alike(window: int, seed: int) -> None:
    lengths = np.full(1000, 3 * window + 1)
    epoch = Epoch(lengths, window, seed, 0)
    firsts = [one.end % window for one in (epoch[index] for index in range(len(epoch))) if one.first == 0]
    assert len(firsts) == 1000
    assert np.bincount(firsts, minlength=window).min() > 1000 / window / 3


def test_both_strands_are_read_unless_stranded() -> None:
    lengths = np.full(100, 1000)
    both, one = (Epoch(lengths, 10, 1, 0, stranded=stranded) for stranded in (False, True))
    share = np.mean([both[index].reverse for index in range(len(both))])
    assert share == pytest.approx(0.5, abs=0.02)
    assert not any(one[index].reverse for index in range(len(one)))
    assert [both[index][:3] for index in range(50)] == [one[index][:3] for index in range(50)]


@given(Lengths.filter(bool), st.integers(1, 70), st.integers(0, 3), st.lists(st.integers(0, 300), max_size=6))
def test_a_window_depends_on_seed_epoch_and_index_alone(
    lengths: list[int], window: int, seed: int, places: list[int]
) -> None:
    sizes = np.array(lengths, np.int64)
    epochs = Epochs(sizes, window, seed)
    front_to_back = Epochs(sizes, window, seed)
    run = [front_to_back.at(place) for place in range(301)]
    for place in places:
        epoch, index, found = epochs.at(place)
        assert (epoch, index, found) == run[place]
        assert Epoch(sizes, window, seed, epoch)[index] == found
    assert [index for _, index, _ in run[:2]] == [0, 1 if run[1][0] == 0 else 0]


def test_epochs_and_seeds_differ_and_no_word_is_an_error() -> None:
    lengths = np.array([1000, 500])
    epochs = Epochs(lengths, 10, 1)
    one, two = ([epochs.epoch(number)[index] for index in range(20)] for number in (0, 1))
    assert one != two
    assert one != [Epochs(lengths, 10, 2).epoch(0)[index] for index in range(20)]
    with pytest.raises(ArgumentError, match="at least one"):
        Epochs(np.empty(0, np.int64), 10, 1)


# -- what is held out -------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.integers(1, 320), st.sampled_from([0.0, 0.001, 0.1, 0.5, 0.99, 1.0]))
def test_what_is_held_out_and_what_is_not_are_all(words: Path, window: int, share: float) -> None:
    everything = Stretches.of(PackedWords([words / "words.pack"]))
    train, held_out = everything.divide(window, share)
    for part in (train, held_out):
        assert (part.lengths > 0).all()
    bases = [
        (int(part.words[at]), base)
        for part in (train, held_out)
        for at in range(len(part))
        for base in range(part.firsts[at], part.firsts[at] + part.lengths[at])
    ]
    expected = [(word, base) for word, text in enumerate(texts(words)) for base in range(len(text))]
    assert bases == expected  # in order, so what is held out is the end
    windows = len(everything.cuts(window))
    assert len(held_out.cuts(window) if len(held_out) else []) == int(np.ceil(windows * share))


def run_of(words: Path, tokenizer: str, count: int = 60, size: int = 4) -> WindowRun:
    read = Tokenizer.from_file(tokenizer)
    stretches = Stretches.of(PackedWords([words / "words.pack"]))
    special = SpecialIds.of(read)
    encoder = WindowEncoder(stretches, read, special)
    return WindowRun(
        encoder, Epochs(stretches.lengths, 50, 3), Masking(special), 3, PrefetchBlocks(count, size)
    )


def test_sequences_are_the_windows_of_the_words(words: Path, tokenizer: str) -> None:
    run, read, expected = run_of(words, tokenizer), Tokenizer.from_file(tokenizer), texts(words)
    epochs = Epochs(np.array([len(each) for each in expected]), 50, 3)
    for place in range(60):
        _, _, window = epochs.at(place)
        text = expected[window.word][window.first : window.end]
        text = text.translate(COMPLEMENT)[::-1] if window.reverse else text
        inputs, labels = run[place]
        ids = np.where(labels >= 0, labels, inputs)
        assert read.decode(ids[1:-1].tolist()) == text.decode()
    with pytest.raises(IndexError):
        run[60]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_workers_and_order_change_no_sequence(words: Path, tokenizer: str, workers: int) -> None:
    expected = [row.tolist() for place in range(60) for row in run_of(words, tokenizer)[place]]
    found: list[Any] = []
    for batch in DataLoader(run_of(words, tokenizer), 4, num_workers=workers, collate_fn=list):
        found += [row.tolist() for pair in batch for row in pair]
    assert found == expected
    run = run_of(words, tokenizer)
    backwards = [row.tolist() for place in reversed(range(60)) for row in reversed(run[place])]
    assert backwards[::-1] == expected


def test_held_out_windows_are_always_the_same(words: Path, tokenizer: str) -> None:
    read = Tokenizer.from_file(tokenizer)
    stretches = Stretches.of(PackedWords([words / "words.pack"]))
    fixed = FixedWindows(WindowEncoder(stretches, read, SpecialIds.of(read)), 50)
    found = [read.decode(fixed.without_special(number).tolist()) for number in range(len(fixed))]
    assert "".join(found).encode() == b"".join(texts(words))
    assert [fixed.num_bases(number) for number in range(len(fixed))] == [len(each) for each in found]
    with pytest.raises(IndexError):
        fixed[len(fixed)]


# -- runs -------------------------------------------------------------------------------------------


def run(files: list[str], folder: Path, tokenizer: str, **options: Any) -> dict[str, Any]:
    config = configured(PretrainConfig, SMALL, options.pop("config", {}))
    given = {"windows": 100, "device": "cpu", "threads": 1, **options}
    return pretrain(files, folder, config, tokenizer=tokenizer, **given)


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tokenizer: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "model"
    run([LAMBDA], folder, tokenizer)
    return folder


def test_a_run_says_what_it_was_trained_on(whole: Path) -> None:
    report = json.loads((whole / "pretrain.json").read_text())
    assert (report["windows"], report["stranded"]) == (100, False)
    assert report["held_out_sequences"] == 5
    assert report["train_sequences"] == 481
    assert 48_502 / 4 < report["tokens"] < 48_502 / 2
    assert 0 <= report["waiting"] < 1
    assert report["eval_masked_tokens"] > 0
    lines = [json.loads(line) for line in (whole / "log.jsonl").read_text().splitlines()]
    assert all(0 <= line["waiting"] < 1 for line in lines if "loss" in line)
    card = (whole / "README.md").read_text()
    assert "windows of 100 bases, cut anew in each epoch" in card
    assert "lambda_phage.fa" in card
    (found,) = read_records([str(whole)])  # the packed words are a part of the run
    facts = dict(_facts(found.data))
    assert facts["batch"] == "8 windows of 100 bases, at new offsets in each epoch, on random strands"
    assert facts["waiting for data"] == f"{report['waiting']:.1%} of training"


def test_an_interrupted_run_ends_at_the_same_weights(whole: Path, tokenizer: str, tmp_path: Path) -> None:
    class Stop(Exception):  # noqa: N818 - no error
        pass

    def stop(event: dict[str, Any]) -> None:
        if event.get("step") == 5:
            raise Stop

    folder = tmp_path / "model"
    with pytest.raises(Stop):
        run([LAMBDA], folder, tokenizer, progress=stop)
    for changes, said in (({"windows": 99}, "windows=99"), ({"stranded": True}, "stranded=True")):
        with pytest.raises(ArgumentError, match=said):
            run([LAMBDA], folder, tokenizer, resume=True, **changes)
    (tmp_path / "other.fa").write_text(">other\n" + "ACGTT" * 500 + "\n")
    with pytest.raises(ArgumentError, match="is not the file that"):
        run([str(tmp_path / "other.fa")], folder, tokenizer, resume=True)
    assert run([LAMBDA], folder, tokenizer, resume=True)["resumed_at"] == 3
    assert weights(folder) == weights(whole)


def test_packed_files_and_folders_and_workers_give_the_same_weights(
    whole: Path, tokenizer: str, tmp_path: Path
) -> None:
    pack(LAMBDA, tmp_path / "lambda.pack")
    pack_shards(LAMBDA, tmp_path / "shards")
    run([str(tmp_path / "lambda.pack")], tmp_path / "a", tokenizer, config={"workers": 2})
    run([str(tmp_path / "shards")], tmp_path / "b", tokenizer)
    assert weights(tmp_path / "a") == weights(tmp_path / "b") == weights(whole)
    assert not (tmp_path / "a" / "words").exists()
    run([LAMBDA], tmp_path / "c", tokenizer, stranded=True)
    assert weights(tmp_path / "c") != weights(whole)


def test_named_records_are_held_out(words: Path, tokenizer: str, tmp_path: Path) -> None:
    for number, files in enumerate(("words.fa", "shards")):
        report = run(
            [str(words / files)], tmp_path / str(number), tokenizer, hold_out=["r1"], config={"steps": 2}
        )
        assert report["held_out_sequences"] == 3 + 1 + 1 + 1 + 1 + 2
        assert report["unknown"] == ({"N": 30} if files == "words.fa" else {})
    for files, name, said in (
        ("words.pack", "r1", "has no names of records"),
        ("shards", "x", "hold_out=x: no such record; there are last, r0, r1, r2"),
    ):
        with pytest.raises(ArgumentError, match=said):
            run([str(words / files)], tmp_path / f"{files}-{name}", tokenizer, hold_out=[name])


def test_what_does_not_go_with_windows_is_refused(words: Path, tokenizer: str, tmp_path: Path) -> None:
    mixed = [str(words / "words.pack"), LAMBDA]
    with pytest.raises(ArgumentError, match="is not packed, and"):
        run(mixed, tmp_path / "a", tokenizer)
    with pytest.raises(ArgumentError, match="row_bases=8: selects encoded rows"):
        run([LAMBDA], tmp_path / "b", tokenizer, config={"row_bases": 8})
    with pytest.raises(ArgumentError, match="windows=0: a number from 1"):
        run([LAMBDA], tmp_path / "c", tokenizer, windows=0)
    with pytest.raises(ArgumentError, match="needs windows"):
        run([LAMBDA], tmp_path / "d", tokenizer, windows=None, stranded=True)
    with pytest.raises(ArgumentError, match="is packed; --windows BASES trains on it"):
        run([str(words / "shards")], tmp_path / "f", tokenizer, windows=None)
    with pytest.raises(ArgumentError, match="is not packed; --windows takes"):
        run([str(words)], tmp_path / "g", tokenizer)
    with pytest.raises(ArgumentError, match="no sequences are left"):
        run([str(words / "words.pack")], tmp_path / "e", tokenizer, config={"held_out": 0.999})
