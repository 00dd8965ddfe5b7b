"""Predictions of any tool, scored on the test split of a set: orders, columns, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from genotok.errors import ArgumentError, SequenceFileError
from genotok.evaluation.given import read_given, score_given
from genotok.evaluation.predictions import read_outputs, write_predictions
from genotok.evaluation.problem import Problem
from genotok.gue import LabelledSplit, find_tasks, read_splits
from tests.support.commands import run
from tests.support.labelled import write_labels, write_set

CLASSES = Problem("classification", ("0", "1"))


@pytest.fixture
def test(tmp_path: Path) -> LabelledSplit:
    return read_splits(write_set(tmp_path / "data", {"train": 8, "test": 4}))[0]["test"]


def written(folder: Path, *lines: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_probabilities_stand_before_classes_and_lines_give_the_order(
    test: LabelledSplit, tmp_path: Path
) -> None:
    path = written(tmp_path, "predicted,prob_1,prob_0", "0,.4,.6", "0,.3,.7", "0,.2,.8", "1,.9,.1")
    assert read_given(path, test, CLASSES)[:, 1].tolist() == [0.4, 0.3, 0.2, 0.9]
    path = written(tmp_path, "predicted", "0", "1", "1", "0")
    assert read_given(path, test, CLASSES).argmax(1).tolist() == [0, 1, 1, 0]
    assert test.lines.tolist() == [2, 3, 4, 5]
    path = written(tmp_path, "line\tpredicted", "5\t1", "3\t0", "2\t1", "4\t0", name="mine.tsv")
    assert read_given(path, test, CLASSES).argmax(1).tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("sequence,label", "A,0"), "columns sequence, label; prob_0, prob_1, or predicted is expected"),
        (("predicted", "0", "1"), r"2 rows; .*test\.csv has 4"),
        (("line,predicted", "2,0", "3,0", "4,0", "9,1"), "column line: not the lines of the rows of"),
        (("predicted", "0", "1", "2", "0"), "line 4: label '2'; one of 0, 1 is expected"),
        (
            ("prob_0,prob_1", "1,0", "x,1", "1,0", "1,0"),
            "line 3: prob_0 'x'; a probability from 0 to 1",
        ),
        (("prob_0,prob_1", "1,0", "nan,1", "1,0", "1,0"), "line 3: prob_0 'nan'; a probability from 0 to 1"),
        (("prob_0,prob_1", "1,0", "20,80", "1,0", "1,0"), "line 3: prob_0 '20'; a probability from 0 to 1"),
        (("prob_0,prob_1", "1,0", "-2.5,3.5", "1,0", "1,0"), "line 3: prob_0 '-2.5'; a probability"),
        (("line,predicted", "2,0", "3.5,0", "4,0", "5,1"), "line 3: line '3.5'; a line is expected"),
    ],
)
def test_what_does_not_fit_is_refused(
    lines: tuple[str, ...], message: str, test: LabelledSplit, tmp_path: Path
) -> None:
    with pytest.raises((ArgumentError, SequenceFileError), match=message):
        read_given(written(tmp_path, *lines), test, CLASSES)


def test_numbers_and_labels(tmp_path: Path) -> None:
    write_labels(tmp_path / "numbers", {"train": ["1", "2", "4"], "test": ["1", "3", "5"]})
    path = written(tmp_path, "predicted", "1.5", "3", "4")
    (task,) = find_tasks([tmp_path / "numbers"], problem_type="regression")
    record = score_given([task], str(path), "ours")
    assert record.model == "ours"
    assert record.sets[0]["runs"][0]["test"]["mae"] == pytest.approx(0.5)
    write_labels(tmp_path / "kinds", {"train": ["a;b", "a", ""], "test": ["a", "b", ""]})
    path = written(tmp_path, "line,predicted", "2,a", "3,b", "4,")
    (task,) = find_tasks([tmp_path / "kinds"], problem_type="multilabel")
    assert score_given([task], str(path)).sets[0]["runs"][0]["test"]["subset_accuracy"] == 1


def test_a_folder_has_a_table_for_each_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("mouse_0", "mouse_2"):
        write_set(tmp_path / "GUE" / "mouse" / name[-1], {"train": 8, "test": 4})
        written(tmp_path, "predicted", *"0101", name=f"{name}.csv")
    command = ("evaluate", tmp_path / "GUE", "--predictions")
    assert run(*command, tmp_path, "--name", "mine", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["model"]) == ("predictions", "mine")
    assert [(one["name"], one["runs"][0]["test"]["mcc"]) for one in record["sets"]] == [
        ("mouse_0", 1.0),
        ("mouse_2", 1.0),
    ]
    assert len(record["provenance"]["inputs"]["predictions"]["mouse_0"]) == 64
    assert run(*command, tmp_path) == 0
    assert capsys.readouterr().out.split()[:3] == ["set", "rows", "metric"]
    assert run(*command, tmp_path / "mouse_0.csv") == 1
    assert "predictions of 2 sets; a folder" in capsys.readouterr().err
    (tmp_path / "mouse_2.csv").unlink()
    assert run(*command, tmp_path) == 1
    assert "0 tables of mouse_2; mouse_2.csv is expected" in capsys.readouterr().err
    assert run("evaluate", tmp_path / "GUE") == 2
    assert "one of --model and --predictions" in capsys.readouterr().err


def test_outputs_are_read_as_they_were_written(test: LabelledSplit, tmp_path: Path) -> None:
    path, outputs = tmp_path / "test.parquet", np.array([[0.25, 0.75], [1, 0], [0.5, 0.5], [0.125, 0.875]])
    write_predictions(str(path), test, CLASSES, outputs)
    assert read_outputs(path, CLASSES).tolist() == outputs.tolist()
    other = Problem("classification", ("0", "two"))
    with pytest.raises(
        ArgumentError, match=r'test\.parquet: Field "prob_two" .*; predictions with prob_0, prob_two'
    ):
        read_outputs(path, other)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArgumentError, match=r"test\.parquet: Parquet magic bytes not found"):
        read_outputs(path, CLASSES)
    with pytest.raises(FileNotFoundError, match=r"none\.parquet"):
        read_outputs(tmp_path / "none.parquet", CLASSES)
