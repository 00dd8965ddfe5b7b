"""Encoders without a model: k-mers in place of byte pairs, masked tokens of train, and a teacher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")
pytest.importorskip("sklearn", reason="needs scikit-learn: the extra `train`")

from genotok import Tokenizer  # noqa: E402
from genotok.errors import ArgumentError, SequenceFileError  # noqa: E402
from genotok.evaluation.problem import Problem  # noqa: E402
from genotok.finetune import Classifier, FinetuneConfig, find_tasks, finetune  # noqa: E402
from genotok.finetune.data import encode  # noqa: E402
from genotok.finetune.self_training import MaskedRows, pretrain_encoder  # noqa: E402
from genotok.finetune.start import of_name  # noqa: E402
from genotok.finetune.teacher import Teacher  # noqa: E402
from genotok.finetune.train import smooth_loss  # noqa: E402
from genotok.gue import LabelledSplit, read_labelled  # noqa: E402
from genotok.options.learning import ModelRunOptions  # noqa: E402
from genotok.tokenizer.special_ids import SpecialIds  # noqa: E402
from genotok.training.batches import IGNORED, Masking  # noqa: E402
from genotok.training.settings import configured, preset  # noqa: E402
from tests.support.labelled import write_set  # noqa: E402

QUICK: dict[str, Any] = {"epochs": 1, "evaluations": 2, "max_steps": 2, "tokenizer": "kmer:3:no-overlap"}
PROBLEM = Problem("classification", ("a", "b"))
OPTIONS = ("seeds", "resume", "teacher", "scratch", "problem_type")


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def motif(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = {"train": 40, "dev": 20, "test": 20}
    return write_set(tmp_path_factory.mktemp("sets") / "motif", rows, names="ab", length=30)


def settings(**changes: Any) -> FinetuneConfig:
    return configured(FinetuneConfig, preset("genotok.finetune", "bases"), QUICK, changes)


def tune(folder: Path, data: Path, model: Path | None = None, **changes: Any) -> dict[str, Any]:
    options = {key: changes.pop(key) for key in OPTIONS if key in changes}
    options = {"seeds": (1,), "with_baseline": False, **options}
    tasks = find_tasks([data])
    return finetune(tasks, model, folder, settings(**changes), device="cpu", threads=1, **options)


def train_of(data: Path) -> LabelledSplit:
    return read_labelled(data / "train.csv").numbered(PROBLEM.labels)


def rows_of(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text().splitlines()[1:]]


# -- k-mers -----------------------------------------------------------------------------------------


def test_patches_are_k_mers_that_do_not_overlap(motif: Path, tmp_path: Path) -> None:
    tune(tmp_path / "results", motif)
    tokenizer = Classifier(tmp_path / "results" / "motif" / "model", device="cpu").tokenizer
    vocab = tokenizer.vocab
    assert tokenizer.encode("ACGTTGCAN") == [vocab[one] for one in ("ACG", "TTG", "C", "A", "N")]
    start = of_name(settings(tokenizer="kmer:5:no-overlap"))
    assert start is not None
    assert start.tokenizer.vocab == Tokenizer.kmer(5, overlap=False).vocab
    assert "ACGTT" in start.encoder.spelling.split(" ")
    assert of_name(settings(tokenizer="bpe")) is None
    with pytest.raises(ArgumentError, match="tokenizer=bpe: the run to resume has kmer:3:no-overlap"):
        tune(tmp_path / "results", motif, tokenizer="bpe", resume=True)


def test_k_mers_that_spell_no_sequence_need_another_encoder(motif: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="its tokens overlap or stand for both strands"):
        tune(tmp_path / "results", motif, tokenizer="kmer:3")
    assert not (tmp_path / "results").exists()
    plain = of_name(settings(tokenizer="kmer:3", encoder="tiny-1m"))
    assert plain is not None
    assert plain.encoder.spelling == ""
    for name, said in (("trigrams", "bpe, bases or kmer:K"), ("kmer:9", "K from 1 to 8")):
        with pytest.raises(ArgumentError, match=said):
            settings(tokenizer=name)


# -- masked tokens of train -------------------------------------------------------------------------


def test_the_encoder_learns_masked_tokens_of_train(motif: Path, tmp_path: Path) -> None:
    record = tune(tmp_path / "results", motif, pretrain_steps=2)
    (run,) = record["sets"][0]["runs"]
    assert run["pretraining"]["steps"] == 2
    assert 3 < run["pretraining"]["loss"] < 6
    without = tune(tmp_path / "without", motif)["sets"][0]["runs"][0]
    assert "pretraining" not in without
    assert run["dev"]["loss"] != without["dev"]["loss"]
    card = (tmp_path / "results" / "motif" / "model" / "README.md").read_text()
    assert "first trained on masked tokens of train, 2 steps" in card
    assert "trained from new weights" in card
    again = tune(tmp_path / "again", motif, pretrain_steps=2)["sets"][0]["runs"][0]
    assert (again["dev"], again["test"]) == (run["dev"], run["test"])


def test_weights_that_are_there_are_not_trained_on_masks(motif: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="pretrain_steps=2: trains new weights; needs scratch"):
        tune(tmp_path / "results", motif, tmp_path / "model", pretrain_steps=2)


def test_only_the_encoder_is_changed(motif: Path) -> None:
    config = settings(pretrain_steps=40, batch=16, learning_rate=5e-3)
    start = of_name(config)
    assert start is not None
    model = start.classifier(PROBLEM)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    rows = encode(start.tokenizer, train_of(motif), both_strands=True)
    special, run = SpecialIds.of(start.tokenizer), ModelRunOptions(device="cpu")
    one = pretrain_encoder(model, rows, special, config, seed=1, run=run)
    assert one["loss"] < np.log(64)  # that of a uniform choice: the sequences repeat and are learned
    changed = {name for name, found in model.state_dict().items() if not torch.equal(found, before[name])}
    assert "bert.embeddings.word_embeddings.weight" in changed
    assert any(name.startswith("bert.embeddings.bases") for name in changed)
    assert not {name for name in changed if name.startswith(("classifier", "bert.pooler"))}


def test_masks_are_drawn_anew_in_each_epoch(motif: Path) -> None:
    start = of_name(settings())
    assert start is not None
    rows = encode(start.tokenizer, train_of(motif), both_strands=True)
    special = SpecialIds.of(start.tokenizer)
    found = MaskedRows(rows, Masking(special, 0.3), 400, seed=1)
    again = MaskedRows(rows, Masking(special, 0.3), 400, seed=1)
    known = {one.tobytes() for one in (*rows.ids, *rows.reverse)}
    masks = set()
    for place in (*range(len(found)), 3):
        inputs, labels = found[place]
        whole = np.where(labels == IGNORED, inputs, labels)
        assert whole.tobytes() in known
        masks.add((whole.tobytes(), (labels != IGNORED).tobytes()))
        assert all((one == other).all() for one, other in zip(found[place], again[place], strict=True))
    assert len(masks) > 350


# -- a teacher --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def taught(motif: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a model predicts for train."""
    folder = tmp_path_factory.mktemp("teacher")
    tune(folder / "results", motif)
    model = Classifier(folder / "results" / "motif" / "model", device="cpu")
    model.predict(motif / "train.csv", folder / "motif.csv")
    return folder / "motif.csv"


def test_a_teacher_is_a_share_of_the_labels(motif: Path, taught: Path) -> None:
    train = train_of(motif)
    found = Teacher(taught, 0.25).mixed(train, PROBLEM)
    chances = np.array([[float(one) for one in row[-2:]] for row in rows_of(taught)])
    expected = 0.75 * np.eye(2)[train.labels] + 0.25 * chances
    np.testing.assert_allclose(found, expected, atol=1e-9)
    scores = torch.randn(len(train), 2, generator=torch.Generator().manual_seed(1))
    losses = [
        float(smooth_loss(scores, torch.from_numpy(one), 0.0)) for one in (found, train.labels, chances)
    ]
    assert losses[0] == pytest.approx(0.75 * losses[1] + 0.25 * losses[2])


def test_a_model_learns_from_a_teacher(motif: Path, taught: Path, tmp_path: Path) -> None:
    record = tune(tmp_path / "results", motif, teacher=str(taught))
    (found,) = record["sets"]
    assert (found["teacher"]["file"], found["teacher"]["weight"]) == (str(taught), 0.5)
    card = (tmp_path / "results" / "motif" / "model" / "README.md").read_text()
    assert f"learned from a teacher, too: {taught}, weight 0.5" in card
    other = tune(tmp_path / "folder", motif, teacher=str(taught.parent))["sets"][0]["runs"][0]
    assert other["dev"] == found["runs"][0]["dev"]
    alone = tune(tmp_path / "alone", motif)["sets"][0]["runs"][0]
    assert alone["dev"]["loss"] != other["dev"]["loss"]
    certain = tune(tmp_path / "certain", motif, teacher=str(taught), teacher_weight=0.0)
    assert certain["sets"][0]["runs"][0]["dev"]["loss"] == pytest.approx(alone["dev"]["loss"])


def test_a_run_is_resumed_with_the_same_teacher(motif: Path, taught: Path, tmp_path: Path) -> None:
    copy = tmp_path / "moved.csv"
    copy.write_bytes(taught.read_bytes())
    tune(tmp_path / "results", motif, teacher=str(taught))
    tune(tmp_path / "results", motif, teacher=str(copy), resume=True)
    with pytest.raises(ArgumentError, match="teacher=False: the run to resume has True"):
        tune(tmp_path / "results", motif, resume=True)
    lines = copy.read_text().splitlines()
    first = lines[1].split(",")
    first[-2:] = ["0.5", "0.5"]
    copy.write_text("\n".join([lines[0], ",".join(first), *lines[2:]]) + "\n")
    with pytest.raises(ArgumentError, match="was started with other contents of sets/motif/teacher"):
        tune(tmp_path / "results", motif, teacher=str(copy), resume=True)


def test_a_table_of_other_rows_is_no_teacher(motif: Path, taught: Path, tmp_path: Path) -> None:
    header, *lines = taught.read_text().splitlines()
    other = lines[3].split(",")
    other[header.split(",").index("sequence")] = "ACGT"
    unordered = ",".join(header.split(",")[1:])
    faulty = {
        "short": ([header, *lines[:-1]], ArgumentError, "39 rows; .*train.csv has 40"),
        "other": (
            [header, *lines[:3], ",".join(other), *lines[4:]],
            ArgumentError,
            "line 5: not the sequence of .*train.csv: line 5; a teacher predicts the rows of train",
        ),
        "turned": (
            [unordered, *(line.partition(",")[2] for line in reversed(lines))],
            ArgumentError,
            "line 2: not the sequence of",
        ),
        "class": ([header.replace("prob_b", "prob_c").replace("predicted", "p"), *lines], ArgumentError,
                  "prob_a, prob_b, or predicted is expected"),
        "number": ([header, lines[0].rpartition(",")[0] + ",1.5", *lines[1:]], SequenceFileError,
                   "a probability from 0 to 1"),
    }  # fmt: skip
    for name, (text, kind, said) in faulty.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(text) + "\n")
        with pytest.raises(kind, match=said):
            tune(tmp_path / "results", motif, teacher=str(tmp_path / f"{name}.csv"))
        assert not (tmp_path / "results").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArgumentError, match=r"0 tables of motif; motif\.csv is expected"):
        tune(tmp_path / "results", motif, teacher=str(tmp_path / "empty"))
    in_order = tmp_path / "in-order.csv"  # by column `line`, in any order
    in_order.write_text("\n".join([header, *reversed(lines)]) + "\n")
    train = train_of(motif)
    expected = Teacher(taught, 1.0).mixed(train, PROBLEM)
    np.testing.assert_array_equal(Teacher(in_order, 1.0).mixed(train, PROBLEM), expected)


@pytest.mark.parametrize("kind", ["regression", "multilabel"])
def test_other_labels_have_teachers(tmp_path: Path, kind: str) -> None:
    data = write_set(tmp_path / "data", {"train": 20, "dev": 20, "test": 20}, length=30)
    names = {"regression": ("predicted",), "multilabel": ("prob_x", "prob_y")}[kind]
    for path in data.glob("*.csv"):
        rows = [
            f"{one},{number % 7 + 0.5 if kind == 'regression' else ('x;y', 'y', '')[number % 3]}"
            for number, (one, _) in enumerate(rows_of(path))
        ]
        path.write_text("sequence,label\n" + "\n".join(rows) + "\n")
    table = [",".join(names), *(",".join("0.25" for _ in names) for _ in range(20))]
    (tmp_path / "taught.csv").write_text("\n".join(table) + "\n")
    teacher = str(tmp_path / "taught.csv")
    found = tune(tmp_path / "results", data, teacher=teacher, problem_type=kind, max_steps=1)
    alone = tune(tmp_path / "alone", data, problem_type=kind, max_steps=1)
    first, other = (record["sets"][0]["runs"][0]["dev"]["loss"] for record in (found, alone))
    assert first != other
    manifest = json.loads((tmp_path / "results" / "data" / "model" / "genotok.json").read_text())
    assert manifest["settings"]["teacher_weight"] == 0.5
