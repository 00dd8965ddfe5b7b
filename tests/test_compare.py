"""Tokenizers compared as models: what is the same for all, and that a comparison can be stopped."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")
pytest.importorskip("sklearn", reason="needs scikit-learn: the extra `train`")

from genotok import Tokenizer  # noqa: E402
from genotok.cli.commands.compare import print_comparison  # noqa: E402
from genotok.compare import CompareConfig, compare  # noqa: E402
from genotok.compare.table import comparison_markdown, comparison_rows, comparison_summary  # noqa: E402
from genotok.dataset import TokenDataset  # noqa: E402
from genotok.errors import ArgumentError  # noqa: E402
from genotok.finetune import find_tasks  # noqa: E402
from genotok.run_records.schemas import ComparisonRecord  # noqa: E402
from genotok.study import Subject, named_kmers  # noqa: E402
from genotok.tokenizer.special_ids import SpecialIds  # noqa: E402
from genotok.training.batches import IGNORED, Masking  # noqa: E402
from tests.support.labelled import write_set  # noqa: E402

LAMBDA = str(Path(__file__).resolve().parent.parent / "genomes" / "lambda_phage.fa")
QUICK = [
    "window=64",
    "seeds=[1]",
    "pretrain.steps=3",
    "pretrain.warmup=1",
    "pretrain.batch=8",
    "pretrain.micro_batch=8",
    "finetune.max_steps=2",
    "finetune.batch=8",
]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("sets")
    rows = {"train": 40, "dev": 10, "test": 20}
    return [str(write_set(folder / name, rows, seed=seed)) for seed, name in enumerate(("first", "second"))]


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    bpe = Subject.of("bpe", Tokenizer.train(LAMBDA, vocab_size=64))
    return [bpe, *map(named_kmers, ("kmer:3", "kmer:3:no-overlap", "bases"))]


@pytest.fixture(scope="module")
def compared(subjects: list[Subject], sets: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared") / "out"
    compare(subjects, [LAMBDA], find_tasks(sets), folder, CompareConfig.preset("tiny", QUICK), device="cpu")
    return folder


def record_of(folder: Path) -> ComparisonRecord:
    return ComparisonRecord.from_json(json.loads((folder / "compared.json").read_text()))


@pytest.mark.slow
def test_every_encoder_is_trained_on_the_same_bases(compared: Path, subjects: list[Subject]) -> None:
    record = record_of(compared)
    assert record.bases == 3 * 8 * 64
    windows = []
    for one, subject in zip(record.tokenizers, subjects, strict=True):
        folder = compared / subject.name.replace(":", "-")
        tokens = TokenDataset(folder / "tokens")
        windows.append([(tokens.row(number).start, tokens.row(number).end) for number in range(len(tokens))])
        report = json.loads((folder / "model" / "pretrain.json").read_text())
        assert (report["steps"], report["config"]["batch"]) == (3, 8)
        # One piece a whole window: nothing is cut, so that the pieces have the same bases in the same order.
        assert report["train_sequences"] + report["held_out_sequences"] == 48_502 // 64
        assert report["config"]["mask_span"] == {"kmer:3": 3}.get(subject.name, 1)
        assert one["pretrain"]["tokens_per_window"] == pytest.approx(
            sum(len(tokens[number]) for number in range(len(tokens) - 1)) / (len(tokens) - 1)
        )
        assert [found["name"] for found in one["finetune"]["sets"]] == ["first", "second"]
        layers = one["pretrain"]["parameters"] - 128 * subject.tokenizer.vocab_size
        assert layers == pytest.approx(record.tokenizers[0]["pretrain"]["parameters"] - 128 * 64, abs=5000)
    assert all(each == windows[0] for each in windows)


@pytest.mark.slow
def test_the_table_says_what_the_record_does(
    compared: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_of(compared)
    rows = {row.name: row for row in comparison_rows(record)}
    assert [row.name for row in comparison_rows(record) if row.is_set] == ["first", "second"]
    assert rows["bits per base"].cells[1] == "–"  # overlapping: a base is predicted three times
    assert rows["bits per base"].values[3] == record.tokenizers[3]["pretrain"]["eval_bits_per_base"]
    for place, one in enumerate(record.tokenizers):
        means = [100 * found["mean"] for found in one["finetune"]["sets"]]
        assert rows["mean over sets"].values[place] == pytest.approx(np.mean(means))
    sets = record.tokenizers[0]["finetune"]["sets"]
    baseline = [found["baselines"]["average"]["runs"][0]["test"]["mcc"] for found in sets]
    assert rows["mean over sets"].values[-1] == pytest.approx(100 * np.mean(baseline))
    assert "kmer:3:no-overlap" in comparison_markdown(record)
    assert comparison_summary(record).startswith("Ahead on 2 sets: ")
    monkeypatch.setenv("COLUMNS", "200")
    print_comparison(record)
    head = capsys.readouterr().out.partition("tokens in")[0].split()
    assert {"k-mer", "CNN", "averaged"} <= set(head)


@pytest.mark.slow
def test_what_is_done_is_kept(compared: Path, subjects: list[Subject], sets: list[str]) -> None:
    folder, before = compared, record_of(compared)
    config = CompareConfig.preset("tiny", QUICK)
    weights = (folder / "kmer-3" / "model" / "model.safetensors").read_bytes()
    # As a kill leaves it: one model is half trained, one has not begun.
    os.remove(folder / "compared.json")
    os.remove(folder / "kmer-3" / "model" / "pretrain.json")
    os.remove(folder / "kmer-3" / "model" / "model.safetensors")
    shutil.rmtree(folder / "bases")
    (folder / "bases" / "model").mkdir(parents=True)
    with pytest.raises(ArgumentError, match="is there already; --resume resumes it"):
        compare(subjects, [LAMBDA], find_tasks(sets), folder, config, device="cpu")
    messages: list[str] = []
    compare(
        subjects,
        [LAMBDA],
        find_tasks(sets),
        folder,
        config,
        device="cpu",
        resume=True,
        on_status=messages.append,
    )
    assert (folder / "kmer-3" / "model" / "model.safetensors").read_bytes() == weights
    assert messages[0] == "bpe: encoding and pre-training, 1 of 4"
    after = record_of(folder)
    for one, other in zip(before.tokenizers, after.tokenizers, strict=True):
        assert one["pretrain"]["eval_loss"] == other["pretrain"]["eval_loss"]
        assert [each["mean"] for each in one["finetune"]["sets"]] == [
            each["mean"] for each in other["finetune"]["sets"]
        ]
    changed = CompareConfig.preset("tiny", [*QUICK, "pretrain.learning_rate=1e-4"])
    with pytest.raises(ArgumentError, match=r"learning_rate=0\.0001: the run to resume has 0\.002"):
        compare(subjects, [LAMBDA], find_tasks(sets), folder, changed, device="cpu", resume=True)


def test_wrong_settings_are_refused(subjects: list[Subject], sets: list[str], tmp_path: Path) -> None:
    for change, said in {
        "window=8": "window=8: a number of at least 16",
        "seeds=[]": "at least one",
        "nothing=1": "nothing: no such setting",
        "model.steps=1": "pretrain or finetune is expected before the dot",
        "pretrain.steps=0": "steps=0",
    }.items():
        with pytest.raises(ArgumentError, match=said):
            CompareConfig.preset("tiny", [change])
    with pytest.raises(ArgumentError, match="none twice"):
        compare(
            [subjects[0], subjects[0]],
            [LAMBDA],
            find_tasks(sets),
            tmp_path / "out",
            CompareConfig.preset("tiny", QUICK),
        )


@pytest.mark.parametrize("span", [1, 3, 6])
def test_runs_of_tokens_are_hidden_together(span: int) -> None:
    special = SpecialIds.of(Tokenizer.kmer(6, overlap=True))
    masking = Masking(special, share=0.15, span=span)
    hidden, tokens, edges = 0, 0, 0
    for number in range(200):
        ids = special.around(np.random.default_rng(number).integers(5, 4101, 502))
        chosen = masking.apply(ids, 1, number)[1] != IGNORED
        assert not chosen[[0, -1]].any()
        hidden, tokens = hidden + int(chosen.sum()), tokens + 502
        edges += int((np.diff(chosen.astype(int)) == 1).sum())
        lengths = np.diff(np.flatnonzero(np.diff(chosen.astype(int)) != 0))[::2]
        assert (lengths[1:-1] >= span).all()
    assert tokens > 100_000
    assert hidden / tokens == pytest.approx(0.15, abs=0.01)
    assert edges < hidden / span + 1
    with pytest.raises(ArgumentError, match="span=0"):
        Masking(special, span=0)


def test_a_comparison_is_resumed_with_the_same_contents_only(
    compared: Path, subjects: list[Subject], sets: list[str], tmp_path: Path
) -> None:
    config, tasks = CompareConfig.preset("tiny", QUICK), find_tasks(sets)
    genome = Path(LAMBDA).read_text()
    (tmp_path / "lambda_phage.fa").write_text(genome[:-20] + "ACGTACGTACGTACGTACG\n")
    with pytest.raises(ArgumentError, match="was started with other contents of files/1; give those"):
        compare(subjects, [str(tmp_path / "lambda_phage.fa")], tasks, compared, config, resume=True)
    other = Subject.of("bpe", Tokenizer.train(tmp_path / "lambda_phage.fa", vocab_size=63))
    with pytest.raises(ArgumentError, match="other contents of tokenizers/bpe/vocabulary; give those"):
        compare([other], [LAMBDA], tasks, compared, config, resume=True)


@pytest.mark.slow
def test_equal_compute_is_what_the_first_tokenizer_spends(
    subjects: list[Subject], sets: list[str], tmp_path: Path
) -> None:
    config = CompareConfig.preset("tiny", [*QUICK, "pretrain.steps=20"])
    compare(
        [subjects[0], subjects[2]],
        [LAMBDA],
        find_tasks(sets[:1]),
        tmp_path / "out",
        config,
        equal="compute",
        device="cpu",
    )
    record = record_of(tmp_path / "out")
    assert record.equal == "compute"
    first, second = record.tokenizers
    assert first["pretrain"]["bases"] == record.bases == 20 * 8 * 64
    steps = second["pretrain"]["bases"] / (8 * 64)
    of_step = second["pretrain"]["operations"] / steps
    assert abs(first["pretrain"]["operations"] - second["pretrain"]["operations"]) <= of_step / 2
    runs = [one["finetune"]["sets"][0]["runs"][0] for one in record.tokenizers]
    assert abs(runs[0]["operations"] - runs[1]["operations"]) <= runs[1]["operations"] / runs[1]["steps"] / 2
    assert (runs[0]["steps"], steps != 20) == (2, True)
    text = comparison_markdown(record)
    assert "| pre-training, TFLOP |" in text
    assert "| calls changed by shuffling |" in text
    assert 0 <= first["shuffled"]["first"] <= 1
    with pytest.raises(ArgumentError, match="equal=bases: the run to resume has"):
        compare(subjects[:1], [LAMBDA], find_tasks(sets[:1]), tmp_path / "out", config, resume=True)
