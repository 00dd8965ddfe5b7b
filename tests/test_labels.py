"""What labels are, read off them or declared, and what the columns of a table are."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from genotok.errors import ArgumentError, SequenceFileError
from genotok.gue import Labels, audit, find_tasks, read_labelled, read_splits
from genotok.rows.columns import find_columns
from tests.support.labelled import write_labels

TWO = ["1", "2"]
# -- classes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["2", "1"], ("1", "2")),
        (["562", "100"], ("100", "562")),
        (["10", "9", "100"], ("9", "10", "100")),
        (["+1", "-1"], ("-1", "+1")),
        (["yes", "no"], ("no", "yes")),
        (["Yes", "yes"], ("Yes", "yes")),
        (["ja, klar", "nein"], ("ja, klar", "nein")),
        (["β-catenin", "a b"], ("a b", "β-catenin")),
        (["01", "1", "x"], ("01", "1", "x")),
        (["NA", "HA"], ("HA", "NA")),
        (["9" * 30 + "1", "9" * 30 + "0"], ("9" * 30 + "0", "9" * 30 + "1")),
        ([f"x{number:04}" for number in range(1000)], tuple(f"x{number:04}" for number in range(1000))),
        (["1.5"], ("1.5",)),
    ],
)
def test_labels_that_can_only_be_classes_are_names(texts: list[str], names: tuple[str, ...]) -> None:
    found = Labels.of([*texts, *texts])
    assert (found.type, found.names) == ("classification", names)
    assert found.values(list(names)).tolist() == list(range(len(names)))


@pytest.mark.parametrize(
    ("texts", "options"),
    [
        (["0.0", "0.2", "0.4"], ("regression", "classification")),
        (["1.0", "2.0"], ("regression", "classification")),
        (["1e-3", "2"], ("regression", "classification")),
        ([str(number) for number in range(21)], ("regression", "classification")),
        (["0;1", "0"], ("multilabel", "classification")),
        (["a|b", "c"], ("multilabel", "classification")),
        (["a, b", "b"], ("multilabel", "classification")),
        ([f"x{number}" for number in range(1001)], ("classification",)),
    ],
)
def test_labels_that_may_be_something_else_are_asked_for(texts: list[str], options: tuple[str, ...]) -> None:
    with pytest.raises(ArgumentError) as caught:
        Labels.of(texts)
    assert "\n" not in str(caught.value)
    for option in options:
        assert f"--problem-type {option}" in str(caught.value)
    assert len(Labels.of(texts, "classification")) == len(texts)


def test_a_column_of_names_is_no_column_of_classes() -> None:
    with pytest.raises(ArgumentError, match="2,001 distinct labels; a model has at most 2,000 classes"):
        Labels.of([f"read{number}" for number in range(2001)], "classification")


def test_declared_classes_are_in_the_order_of_their_numbers() -> None:
    assert Labels.of(["10.0", "0.5", "2"], "classification").names == ("0.5", "2", "10.0")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["1", "01"], "is the same number as label"),
        (["1", "+1", "2"], "is the same number as label"),
        (["0", "1", "NA"], "label 'NA' among numbers; remove the row"),
        (["0", "1", "nan"], "label 'nan' among numbers"),
        (["0", "1", ""], "no label; remove the row"),
    ],
)
def test_what_nobody_can_mean_is_an_error(texts: list[str], said: str) -> None:
    for declared in (None, "classification"):
        with pytest.raises(SequenceFileError, match="here: ") as caught:
            Labels.of(texts, declared, where=lambda _: "here")  # type: ignore[arg-type]
        assert said in str(caught.value)
    with pytest.raises(ArgumentError, match="problem_type=ranking: one of classification, regression"):
        Labels.of(TWO, "ranking")  # type: ignore[arg-type]


# -- numbers and lists ------------------------------------------------------------------------------


def test_declared_numbers_are_numbers(tmp_path: Path) -> None:
    texts = ["0.5", "-1", "+2.", ".25", "1e3"]
    write_labels(tmp_path, {"train": texts, "test": texts}, column="expression")
    found, labels = read_splits(tmp_path, problem_type="regression", label="Expression")
    assert (labels.type, labels.names) == ("regression", ("expression",))
    assert found["train"].labels.tolist() == [0.5, -1.0, 2.0, 0.25, 1000.0]
    assert labels.describe(found["test"].labels) == "-1 to 1000, mean 200.3, standard deviation 399.8"
    for wrong in ("NA", "nan", "inf", "-inf", "1e999", "0,5", "1_0", "0x1", "x", "٣"):
        write_labels(tmp_path, {"test": ["1", wrong]}, column="expression")
        with pytest.raises(SequenceFileError, match=r"test\.csv: line 3: label .*; a finite number"):
            read_splits(tmp_path, problem_type="regression", label="expression")
    write_labels(tmp_path, {"test": ["1", ""]}, column="expression")
    with pytest.raises(SequenceFileError, match=r"test\.csv: line 3: no label; remove the row"):
        read_splits(tmp_path, problem_type="regression", label="expression")


def test_declared_lists_are_labels_that_hold(tmp_path: Path) -> None:
    write_labels(tmp_path, {"train": ["b;a", " c ", "", "10;b;b"], "test": ["a"]})
    found, labels = read_splits(tmp_path, problem_type="multilabel")
    assert labels.names == ("10", "a", "b", "c")
    assert found["train"].labels.tolist() == [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0]]
    assert labels.describe(found["train"].labels) == "10: 1, a: 1, b: 2, c: 1"
    write_labels(tmp_path, {"test": ["a", "d"]})
    with pytest.raises(SequenceFileError, match=r"test\.csv: line 3: label 'd' is in no row of .*train\.csv"):
        read_splits(tmp_path, problem_type="multilabel")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["a;;b"], "an empty name between ;"),
        (["a|b", "a"], "; between labels is expected"),
        (["a,b", "a"], "; between labels is expected"),
        (["1;0;1", "0;0;1"], "looks like a vector of 0 and 1"),
    ],
)
def test_lists_of_another_form_are_errors(texts: list[str], said: str) -> None:
    with pytest.raises(SequenceFileError, match="here: ") as caught:
        Labels.of(texts, "multilabel", where=lambda _: "here")
    assert said in str(caught.value)


def test_long_lists_of_classes_are_shortened() -> None:
    labels = Labels.of([f"x{number}" for number in range(100)])
    said = labels.describe(np.repeat(np.arange(100), 3))
    assert said.endswith("x15: 3, and 92 more; 3 rows of each")
    assert said.startswith("x0: 3, x1: 3, ")


def test_an_audit_tells_classes_numbers_and_labels(tmp_path: Path) -> None:
    write_labels(tmp_path, {"train": ["1;2", "2", ""], "test": ["1"]})
    found = audit(*read_splits(tmp_path, problem_type="multilabel"))
    assert (found.problem_type, found.classes, found.splits["train"].classes) == (
        "multilabel",
        ("1", "2"),
        (1, 2),
    )
    write_labels(tmp_path, {"train": ["1.5", "2.5"], "test": ["1"]})
    found = audit(*read_splits(tmp_path, problem_type="regression"))
    assert (found.classes, found.splits["train"].classes) == ((), ())
    numbers = found.splits["train"].numbers
    assert numbers is not None
    assert (numbers.least, numbers.mean, numbers.deviation, numbers.most) == (1.5, 2.0, 0.5, 2.5)


# -- columns ----------------------------------------------------------------------------------------

SEQUENCE = "ACGTACGTACGTACGTACGTACGT"


@pytest.mark.parametrize(
    ("first", "options", "places"),
    [
        (["Label", " SEQUENCE "], {}, ((1,), 0)),
        (["", "sequence", "label"], {}, ((1,), 2)),
        (["Unnamed: 0", "label", "sequence2", "sequence1"], {}, ((3, 2), 1)),
        (["seq", "target", "n"], {"sequences": ["seq"], "label": "target"}, ((0,), 1)),
        (["sequence", "target"], {"label": "Target"}, ((0,), 1)),
        (["label", "a", "b"], {"sequences": ["b", "a"]}, ((2, 1), 0)),
        (["one", "two", "y"], {}, ((0, 1), 2)),
        (["tag", "cat"], {}, ((0,), 1)),
        (["0", "1"], {}, ((0,), 1)),
        (["id", "sequence"], {"need_labels": False}, ((1,), None)),
    ],
)
def test_columns_are_found(first: list[str], options: dict[str, object], places: object) -> None:
    found = find_columns("x.csv", first, **options)  # type: ignore[arg-type]
    assert ((found.sequences, found.label), found.is_data) == (places, False)


@pytest.mark.parametrize(
    ("first", "options", "places"),
    [
        ([SEQUENCE, "0"], {}, ((0,), 1)),
        (["acgt", "promoter"], {}, ((0,), 1)),
        (["ACG", "1"], {}, ((0,), 1)),
        ([SEQUENCE.replace("T", "U"), SEQUENCE, "x"], {}, ((0, 1), 2)),
        ([SEQUENCE], {"need_labels": False}, ((0,), None)),
        ([SEQUENCE.replace("A", "R"), "0.5"], {"need_labels": False}, ((0,), 1)),
    ],
)
def test_a_first_row_that_is_data_is_read(
    first: list[str], options: dict[str, object], places: object
) -> None:
    found = find_columns("x.csv", first, **options)  # type: ignore[arg-type]
    assert ((found.sequences, found.label), found.is_data) == (places, True)
    assert "no header: line 1 is read as data" in found.note


@pytest.mark.parametrize(
    ("first", "options", "said"),
    [
        (["0", SEQUENCE, "1"], {}, "line 1 holds a sequence where a header is expected"),
        ([SEQUENCE, "1", "x", "y"], {}, "where a header is expected"),
        ([SEQUENCE, SEQUENCE], {}, "where a header is expected"),
        ([SEQUENCE, "0"], {"label": "label"}, "where a header is expected"),
        (["sequence", "target"], {}, "columns sequence, target; .*--label name"),
        (["sequence"], {}, "columns sequence; .* and label are expected"),
        (["sequence;label"], {}, "with commas between fields, not ';'"),
        (["sequence", "label", "Label"], {"label": "LABEL"}, "2 columns are called LABEL"),
        (["sequence", "label"], {"label": "y"}, "and y are expected"),
    ],
)
def test_columns_that_cannot_be_found_are_named(
    first: list[str], options: dict[str, object], said: str
) -> None:
    with pytest.raises(SequenceFileError, match=said):
        find_columns("x.csv", first, **options)  # type: ignore[arg-type]


def test_columns_that_are_asked_for_twice_are_an_error() -> None:
    for options in (
        {"sequences": ["a", "a"]},
        {"sequences": ["a"], "label": "a"},
        {"sequences": list("abc")},
    ):
        with pytest.raises(ArgumentError, match="one or two of sequences, and another of labels"):
            find_columns("x.csv", ["a", "b"], **options)  # type: ignore[arg-type]


def test_a_file_without_header_loses_no_row(tmp_path: Path) -> None:
    rows = [f"{SEQUENCE},{number % 2}" for number in range(6)]
    (tmp_path / "train.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "dev.csv").write_text("sequence,label\n" + "\n".join(rows) + "\n")
    (tmp_path / "test.csv").write_text("\ufeff\n" + "\n".join(rows) + "\n", encoding="utf-8")
    found, labels = read_splits(tmp_path)
    assert {name: len(split) for name, split in found.items()} == {"train": 6, "dev": 6, "test": 6}
    assert labels.names == ("0", "1")
    assert found["train"].lines.tolist() == [1, 2, 3, 4, 5, 6]
    assert [bool(split.note) for split in found.values()] == [True, False, True]
    (tmp_path / "test.csv").write_text(f"{SEQUENCE},0\n{SEQUENCE}\n")
    with pytest.raises(SequenceFileError, match="line 2: 1 fields; the first row has 2"):
        read_labelled(tmp_path / "test.csv")


def test_splits_are_tables_of_any_format(tmp_path: Path) -> None:
    rows = {"sequence": [SEQUENCE, SEQUENCE[1:], SEQUENCE[2:]], "y": [0.5, 1.0, -2.0]}
    parquet.write_table(pa.table(rows), tmp_path / "train.parquet")
    (tmp_path / "val.tsv").write_text(f"y\tsequence\n1.5\t{SEQUENCE}\n")
    with gzip.open(tmp_path / "test.csv.gz", "wt") as file:
        file.write(f"sequence,y\n{SEQUENCE},2\n")
    (task,) = find_tasks([tmp_path], problem_type="regression", label="y")
    found, _ = task.read()
    assert {name: split.labels.tolist() for name, split in found.items()} == {
        "train": [0.5, 1.0, -2.0],
        "dev": [1.5],
        "test": [2.0],
    }
    with pytest.raises(ArgumentError, match=r"numbers, 5 distinct, such as 2, 0\.5, 1\.0, 1\.5"):
        read_splits(tmp_path, label="y")
    (tmp_path / "test.csv").write_text("sequence,y\nACGT,2\n")
    with pytest.raises(ArgumentError, match=r"test\.csv and test\.csv\.gz are there; one file"):
        read_splits(tmp_path, label="y")


def test_lists_and_nulls_of_parquet_are_labels(tmp_path: Path) -> None:
    for name, labels in {"train": [["a", "b"], [], None, ["b"]], "test": [["a"]]}.items():
        table = pa.table({"sequence": [SEQUENCE] * len(labels), "label": labels})
        parquet.write_table(table, tmp_path / f"{name}.parquet")
    found, labels = read_splits(tmp_path, problem_type="multilabel")
    assert labels.names == ("a", "b")
    assert found["train"].labels.tolist() == [[1, 1], [0, 0], [0, 0], [0, 1]]
