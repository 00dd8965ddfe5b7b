"""Fine-tuning on classes, numbers and labels: what is asked, told, trained, written, and predicted again."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")
pytest.importorskip("peft", reason="needs peft: the extra `train`")
pytest.importorskip("sklearn", reason="needs scikit-learn: the extra `train`")

from pyarrow import parquet  # noqa: E402
from transformers import pipeline  # noqa: E402

from genotok import Tokenizer  # noqa: E402
from genotok.baseline import kmers  # noqa: E402
from genotok.baseline.blind import BlindSet  # noqa: E402
from genotok.cli import app  # noqa: E402
from genotok.compare import CompareConfig, compare  # noqa: E402
from genotok.errors import ArgumentError, SequenceFileError  # noqa: E402
from genotok.evaluation.problem import Problem  # noqa: E402
from genotok.finetune import Classifier, FinetuneConfig, find_tasks, finetune  # noqa: E402
from genotok.finetune.targets import Targets  # noqa: E402
from genotok.gue import read_splits  # noqa: E402
from genotok.model import EncoderConfig  # noqa: E402
from genotok.model.huggingface import DnaBert2Config, DnaBert2ForMaskedLM  # noqa: E402
from genotok.study import named_kmers  # noqa: E402
from tests.support.labelled import write_labels  # noqa: E402

QUICK = FinetuneConfig(batch=16, warmup=1, epochs=1, max_steps=3, evaluations=2, learning_rate=1e-2)
ROWS = {"train": 24, "dev": 8, "test": 10}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of 2 layers of 16."""
    folder = tmp_path_factory.mktemp("model")
    source = folder / "bases.fa"
    source.write_text(">a\n" + "".join(np.random.default_rng(1).choice(list("ACGT"), 5000)) + "\n")
    Tokenizer.train(source, vocab_size=32).save(folder / "tokenizer.json")
    sizes = EncoderConfig.preset("tiny-1m", vocab_size=32, hidden_size=16, num_heads=2, intermediate_size=32)
    torch.manual_seed(0)
    DnaBert2ForMaskedLM(DnaBert2Config(**sizes.to_published())).save_pretrained(folder)
    return folder


def labelled(folder: Path, label: Callable[[int], str]) -> Path:
    return write_labels(folder, {name: [label(row) for row in range(rows)] for name, rows in ROWS.items()})


def tune(
    model: Path, data: Path, output: Path, *, config: FinetuneConfig = QUICK, **options: Any
) -> dict[str, Any]:
    said: list[str] = []
    record = finetune(
        find_tasks([data]), model, output, config, seeds=(1,), device="cpu", on_status=said.append, **options
    )
    return {**record["sets"][0], "said": said}


def test_labels_one_and_two_are_two_classes(model: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data", lambda row: "12"[row % 2])
    found = tune(model, data, tmp_path / "out", with_baseline=False)
    assert (found["problem_type"], found["classes"], found["metric"]) == ("classification", ["1", "2"], "mcc")
    assert found["counts"]["test"] == [5, 5]
    assert found["said"][:2] == ["data: classification of 2 classes", "data: train, 24 rows: 1: 12, 2: 12"]
    place = tmp_path / "out" / "data"
    config = json.loads((place / "model" / "config.json").read_text())
    assert config["id2label"] == {"0": "1", "1": "2"}
    assert config["problem_type"] == "single_label_classification"
    table = parquet.read_table(place / "seed-1" / "predictions.parquet")
    assert set(table["predicted"].to_pylist()) <= {"1", "2"}
    assert {"prob_1", "prob_2"} < set(table.column_names)
    Classifier(place / "model", device="cpu").evaluate(data / "test.csv")


def test_what_is_to_be_asked_is_asked_before_anything_is_trained(model: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data", lambda row: f"{row % 5 / 5}")
    with pytest.raises(ArgumentError, match=r"data: label: numbers, 5 distinct, such as 0\.0, .* regression"):
        tune(model, data, tmp_path / "out")
    assert not (tmp_path / "out").exists()  # the same command with the option is to be typed next
    labelled(data, lambda row: f"{row % 2};{row % 3}")
    with pytest.raises(ArgumentError, match=r"label: lists, 6 distinct, such as 0;0, .*-type multilabel"):
        tune(model, data, tmp_path / "asked")
    labelled(data, lambda row: "x")
    with pytest.raises(SequenceFileError, match=r"train\.csv: all rows have one label, 'x'; there"):
        tune(model, data, tmp_path / "one", with_baseline=False)
    labelled(data, lambda row: "1.5")
    with pytest.raises(SequenceFileError, match=r"train\.csv: all rows have one label, '1\.5'"):
        tune(model, data, tmp_path / "constant", problem_type="regression")


@pytest.mark.parametrize("changes", [{}, {"lora": True}, {"choose_by": "loss", "precision": "bf16"}])
def test_numbers_come_back_in_their_units(model: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    data = labelled(tmp_path / "data", lambda row: f"{5000 + 250 * (row % 4)}")
    config = FinetuneConfig(**{**{name: getattr(QUICK, name) for name in QUICK.__slots__}, **changes})
    output = tmp_path / "out"
    found = tune(model, data, output, config=config, problem_type="regression", with_baseline=not changes)
    assert (found["metric"], found["classes"]) == ("pearson", [])
    assert found["said"][1].startswith("data: train, 24 rows: 5000 to 5750, mean 5375, standard deviation")
    test = found["runs"][0]["test"]
    assert 0 < test["rmse"] < 1000  # of standardised numbers it would be about 1 with mean 0: 5000 off
    assert test["intervals"]["pearson"] == [test["low"], test["high"]]
    kept = parquet.read_table(output / "data" / "seed-1" / "predictions.parquet")["predicted"].to_numpy()
    tuned = Classifier(output / "data" / "model", device="cpu")
    assert (tuned.classes, tuned.problem.names) == ((), ("label",))
    rows = read_splits(data, problem_type="regression")[0]["test"]
    np.testing.assert_allclose(tuned.outputs(rows)[0][:, 0], kept, rtol=1e-6)
    assert tuned.evaluate(data / "test.csv").scores["rmse"] == pytest.approx(test["rmse"], rel=1e-5)
    if not changes:
        assert 0 < found["baselines"]["average"]["runs"][0]["test"]["rmse"] < 10_000
        asked = pipeline("text-classification", model=str(output / "data" / "model"), device="cpu")
        theirs = [one["score"] for one in asked(list(rows.sequences))]
        np.testing.assert_allclose(theirs, kept, rtol=1e-6)


def test_labels_that_hold_together(model: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data", lambda row: ["a;b c", "a", "", "ü"][row % 4])
    output = tmp_path / "out"
    found = tune(model, data, output, problem_type="multilabel")
    assert (found["metric"], found["classes"]) == ("map", ["a", "b c", "ü"])
    assert found["counts"]["train"] == [12, 6, 6]
    test = found["runs"][0]["test"]
    assert {"map", "f1_micro", "f1_macro", "subset_accuracy", "auroc", "low", "high"} < set(test)
    for fitted in found["baselines"].values():
        assert 0 <= fitted["runs"][0]["test"]["map"] <= 1
    kept = parquet.read_table(output / "data" / "seed-1" / "predictions.parquet").to_pylist()
    rows = read_splits(data, problem_type="multilabel")[0]["test"]
    asked = pipeline("text-classification", model=str(output / "data" / "model"), device="cpu", top_k=None)
    for one, row in zip(asked(list(rows.sequences)), kept, strict=True):
        scores = {each["label"]: each["score"] for each in one}
        assert scores == pytest.approx({name: row[f"prob_{name}"] for name in found["classes"]}, abs=1e-6)
        assert row["predicted"] == ";".join(name for name in found["classes"] if row[f"prob_{name}"] >= 0.5)
    again = Classifier(output / "data" / "model", device="cpu").evaluate(data / "test.csv")
    assert again.scores["map"] == pytest.approx(test["map"])


def test_a_comparison_asks_before_it_trains(tmp_path: Path) -> None:
    data = labelled(tmp_path / "data", lambda row: f"{row % 5 / 5}")
    (tmp_path / "a.fa").write_text(">a\nACGT\n")
    options = (find_tasks([data]), tmp_path / "out", CompareConfig.preset("tiny"))
    with pytest.raises(ArgumentError, match="label: numbers, 5 distinct"):
        compare([named_kmers("kmer:3")], [str(tmp_path / "a.fa")], *options)
    assert not (tmp_path / "out").exists()


def test_what_a_run_was_begun_with_stays(model: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "data", lambda row: str(row % 3))
    tune(model, data, tmp_path / "out", with_baseline=False)
    with pytest.raises(ArgumentError, match=r"labels=\[\['regression', None\]\]: the run to resume has"):
        tune(model, data, tmp_path / "out", with_baseline=False, resume=True, problem_type="regression")


def test_a_set_of_gue_has_classes(model: Path, tmp_path: Path) -> None:
    data = labelled(tmp_path / "mouse_0", lambda row: str(row % 2))
    with pytest.raises(ArgumentError, match="problem_type=regression: this set of GUE has 2 classes"):
        tune(model, data, tmp_path / "out", problem_type="regression")


def test_a_last_layer_takes_mean_and_scale() -> None:
    layer = torch.nn.Linear(3, 1)
    states, targets = torch.randn(5, 3), Targets.of(np.array([10.0, 20.0, 60.0]))
    expected = targets.restored(layer(states).detach().numpy())
    targets.fold_into(layer)
    np.testing.assert_allclose(layer(states).detach().numpy(), expected, rtol=1e-6)
    assert targets.standard(np.array([10.0, 20.0, 60.0])).std() == pytest.approx(1)
    assert Targets.of(np.array([3.0])) == Targets(3.0, 1.0)


def test_the_baseline_learns_numbers_and_labels(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    for name, rows in {"train": 200, "dev": 60, "test": 60}.items():
        shares = draw.random(rows) * 0.8 + 0.1
        sequences = ["".join(draw.choice(list("ACGT"), 80, p=[gc / 2, 0.5 - gc / 2] * 2)) for gc in shares]
        lines = [
            f"{one},{1000 * gc},{'at' if gc < 0.5 else 'gc'};all"
            for one, gc in zip(sequences, shares, strict=True)
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["sequence,gc,kinds", *lines]) + "\n")
    splits, _ = read_splits(tmp_path, problem_type="regression", label="gc")
    fitted = kmers.fit(BlindSet(splits, Problem("regression", ("gc",)), "pearson", stranded=True), (3,))
    assert fitted.scores[fitted.penalty] > 0.9
    assert fitted.test.shape == (60, 1)
    assert 100 < fitted.test.mean() < 900
    splits, labels = read_splits(tmp_path, problem_type="multilabel", label="kinds")
    fitted = kmers.fit(BlindSet(splits, Problem("multilabel", labels.names), "map", stranded=True), (3,))
    assert labels.names == ("all", "at", "gc")
    assert fitted.scores[fitted.penalty] > 0.9
    assert (fitted.test[:, 0] == 1).all()


# -- the commands -----------------------------------------------------------------------------------


Runner = Callable[..., tuple[str, str]]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    """The program in this process: its output, and what it says besides."""

    def run(*arguments: object, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr("sys.argv", ["genotok", *map(str, arguments)])
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            assert int(app._run() or 0) == code
        printed, said = capsys.readouterr()
        return printed, said

    return run


def test_the_command_asks_and_is_told(model: Path, tmp_path: Path, program: Runner) -> None:
    data = write_labels(
        tmp_path / "data",
        {name: [f"{row % 5 / 5}" for row in range(rows)] for name, rows in ROWS.items()},
        column="level",
    )
    quick = ("--preset", "tiny", "--set", "max_steps=1", "--seeds", "1", "--device", "cpu")
    options = ("finetune", data, "-m", model, "-o", tmp_path / "out", "--label", "level", *quick)
    _, said = program(*options, code=1)
    assert "5 distinct, such as 0.0, 0.2, 0.4, 0.6: measured values with --problem-type regression" in said
    printed, said = program(*options, "--problem-type", "regression")
    assert "genotok: data: train, 24 rows: 0 to 0.8, mean 0.3833, standard deviation" in said
    assert "Pearson" in printed
    assert "RMSE" in printed
    scores = ("evaluate", data / "test.csv", "-m", tmp_path / "out" / "data" / "model", "--label", "level")
    printed, _ = program(*scores)
    assert [line.split()[0] for line in printed.splitlines()[2:]] == [
        "Pearson",
        "Spearman",
        "R²",
        "RMSE",
        "MAE",
        "rows",
        "all",
        "clean",
        "clean",
    ]
    assert "clean rows: too few" in printed
    found = json.loads(program(*scores, "--json")[0])
    assert found["intervals"]["rmse"][0] <= found["rmse"] <= found["intervals"]["rmse"][1]
    assert found["clean"]["rows"] <= found["rows"]


def test_an_audit_of_numbers_and_of_a_file_without_header(tmp_path: Path, program: Runner) -> None:
    data = labelled(tmp_path / "data", lambda row: f"{row / 2}")
    printed, _ = program("gue", "audit", data, "--problem-type", "regression")
    assert "label, min mean max" in printed
    assert "0 5.75 11.5" in printed
    for path in data.glob("*.csv"):
        rows = path.read_text().replace('"', "").splitlines()[1:]
        path.write_text("\n".join(f"{row.partition(',')[0]},{number % 2}" for number, row in enumerate(rows)))
    found, said = program("gue", "audit", data, "--json")
    assert json.loads(found)["data"]["splits"]["train"]["rows"] == 24
    assert said.count("no header: line 1 is read as data") == 3
