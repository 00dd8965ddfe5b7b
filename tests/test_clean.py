"""Clean rows and scores on them, intervals from drawn loci, and splits without common loci."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genotok.errors import ArgumentError
from genotok.evaluation.figures import figures
from genotok.evaluation.metrics import bootstrap, bootstrap_clusters, confusion, label_scores, number_scores
from genotok.evaluation.problem import Problem
from genotok.gue import Labels, clean_rows, divide, find_loci, find_tasks, read_splits, write_split
from genotok.gue.clean import clean_rows_of
from genotok.gue.divide import _joined, _strata
from genotok.gue.splits import with_train
from genotok.options import LocusOptions
from tests.support.commands import run

PROBLEM = Problem("classification", ("0", "1"))


def sequences(number: int, length: int = 120, seed: int = 5) -> list[str]:
    draw = np.random.default_rng(seed)
    return ["".join(one) for one in draw.choice(list("ACGT"), (number, length))]


def write_table(path: Path, rows: list[tuple[str, object]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("sequence,label\n" + "".join(f"{sequence},{label}\n" for sequence, label in rows))


def leaking(folder: Path, leaks: int = 150, clean: int = 150) -> Path:
    """Sequences with random labels; test has `leaks` windows of rows of train with the labels of those."""
    rows = sequences(400 + clean)
    labels = np.random.default_rng(1).integers(0, 2, len(rows)).tolist()
    every = list(zip(rows, labels, strict=True))
    test = [(sequence[20:], label) for sequence, label in every[:leaks]] + every[400:]
    for name, part in (("train", every[:350]), ("dev", every[350:400]), ("test", test)):
        write_table(folder / f"{name}.csv", part)
    return folder


# -- clean rows -------------------------------------------------------------------------------------


def test_planted_leaks_are_not_clean_and_only_they_are_predicted(tmp_path: Path) -> None:
    splits, _ = read_splits(leaking(tmp_path / "set"))
    clean = clean_rows(tmp_path / "set")
    assert clean.is_clean.tolist() == [False] * 150 + [True] * 150
    assert (clean.against, clean.note) == (("train", "dev"), "")
    # A model that has memorized train: it gives the label of the row that shares most 12-mers.
    words = [{row[at : at + 12] for at in range(len(row) - 11)} for row in splits["train"].sequences]
    nearest = [
        max(
            range(len(words)),
            key=lambda row: len(words[row] & {text[at : at + 12] for at in range(len(text))}),
        )
        for text in splits["test"].sequences
    ]
    outputs = np.eye(2)[splits["train"].labels[nearest]]
    found = figures(PROBLEM, splits["test"].labels, outputs, "mcc", clean)
    part = found["clean"]
    assert (part["rows"], part["loci"], part["note"], found["loci"]) == (150, 150, "", 300)
    assert found["mcc"] > 0.4
    assert part["low"] < 0 < part["high"]
    assert part["high"] < found["low"]
    assert "clean" not in figures(PROBLEM, splits["test"].labels, outputs, "mcc")


def test_a_clean_part_that_is_too_small_is_said_to_be(tmp_path: Path) -> None:
    splits, _ = read_splits(leaking(tmp_path / "set", clean=20))
    labels = splits["test"].labels
    found = figures(PROBLEM, labels, np.eye(2)[labels], "mcc", clean_rows(splits))["clean"]
    assert (found["rows"], found["mcc"]) == (20, 1.0)
    assert found["note"] == "too few: 20 clean loci; at least 100 are wanted"
    (tmp_path / "set" / "train.csv").unlink()
    (tmp_path / "set" / "dev.csv").write_bytes((tmp_path / "set" / "test.csv").read_bytes())
    none = figures(PROBLEM, labels, np.eye(2)[labels], "mcc", clean_rows(tmp_path / "set"))["clean"]
    assert "mcc" not in none
    assert none["rows"] == 0
    assert "train not available" in none["note"]


def test_columns_of_other_names_are_read(tmp_path: Path) -> None:
    folder = leaking(tmp_path / "set", leaks=3, clean=4)
    for name in ("train", "dev", "test"):
        text = (folder / f"{name}.csv").read_text()
        (folder / f"{name}.csv").write_text(text.replace("sequence,label", "site,label", 1))
    found = clean_rows_of([str(folder / "test.csv")], ("site",))
    assert found is not None
    assert found.is_clean.tolist() == [False] * 3 + [True] * 4
    assert clean_rows_of([str(folder / "train.csv")], ("site",)) is None


# -- intervals --------------------------------------------------------------------------------------


def test_clusters_widen_intervals_and_single_rows_do_not() -> None:
    draw = np.random.default_rng(3)
    true = draw.integers(0, 2, 400)
    predicted = np.where(draw.random(400) < 0.75, true, 1 - true)
    rows = bootstrap(confusion(true, predicted, 2), "mcc")
    single = bootstrap_clusters(true, predicted, 2, "mcc", np.arange(400))
    assert single.value == rows.value
    assert (single.low, single.high) == pytest.approx((rows.low, rows.high), abs=0.02)
    # Each row four times: the interval is that of 400 rows, not of 1,600.
    four = bootstrap_clusters(np.tile(true, 4), np.tile(predicted, 4), 2, "mcc", np.tile(np.arange(400), 4))
    assert (four.low, four.high) == pytest.approx((rows.low, rows.high), abs=0.02)
    many = bootstrap(confusion(np.tile(true, 4), np.tile(predicted, 4), 2), "mcc")
    assert four.high - four.low > 1.7 * (many.high - many.low)


def test_numbers_and_labels_have_intervals_of_clusters() -> None:
    draw = np.random.default_rng(4)
    numbers = draw.normal(size=300)
    guess = numbers + draw.normal(size=300)
    rows, copies = number_scores(numbers, guess), np.tile(np.arange(300), 3)
    three = number_scores(np.tile(numbers, 3), np.tile(guess, 3), clusters=copies)
    for metric, one in rows.intervals.items():
        other = three.intervals[metric]
        assert other.value == pytest.approx(one.value)
        assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.06), metric
    truth = draw.integers(0, 2, (300, 3))
    likely = np.clip(truth * 0.3 + draw.random((300, 3)) * 0.7, 0, 1)
    alone = label_scores(truth, likely)
    tripled = label_scores(np.tile(truth, (3, 1)), np.tile(likely, (3, 1)), clusters=copies)
    for name in ("map", "f1_micro", "subset_accuracy"):
        left, right = alone.intervals[name], tripled.intervals[name]  # type: ignore[index]
        assert (right.low, right.high) == pytest.approx((left.low, left.high), abs=0.04), name


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=12))
def test_drawn_clusters_are_those_of_drawing_rows_by_hand(rows: list[tuple[int, int, int]]) -> None:
    true, predicted, clusters = (np.array(column) for column in zip(*rows, strict=True))
    found = bootstrap_clusters(true, predicted, 3, "accuracy", clusters, seed=1)
    generator, names = np.random.default_rng(1), np.unique(clusters)
    drawn = []
    for weights in generator.multinomial(len(names), np.full(len(names), 1 / len(names)), 2000):
        chosen = [
            row
            for name, weight in zip(names, weights, strict=True)
            for row in np.flatnonzero(clusters == name).tolist() * weight
        ]
        drawn.append((true[chosen] == predicted[chosen]).mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


# -- splits -----------------------------------------------------------------------------------------


def test_new_splits_share_no_locus_and_keep_sizes_and_shares(tmp_path: Path) -> None:
    splits, labels = read_splits(leaking(tmp_path / "set", leaks=60, clean=40))
    found = divide(splits, labels, seed=2)
    divided = found.divided()
    loci = find_loci(divided)
    for name in divided:
        assert loci.is_clean(name, [other for other in divided if other != name]).all()
        assert len(divided[name]) == pytest.approx(len(splits[name]), abs=2)
        assert divided[name].labels.sum() == pytest.approx(splits[name].labels.sum(), abs=2)
    rows = [
        (text, label)
        for split in splits.values()
        for text, label in zip(split.sequences, split.texts, strict=True)
    ]
    again = [
        (text, label)
        for split in divided.values()
        for text, label in zip(split.sequences, split.texts, strict=True)
    ]
    assert sorted(rows) == sorted(again)
    same = divide(splits, labels, seed=2)
    assert all((same.targets[name] == found.targets[name]).all() for name in splits)
    other = divide(splits, labels, seed=3)
    assert any((other.targets[name] != found.targets[name]).any() for name in splits)


def test_the_manifest_says_what_moved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, output = leaking(tmp_path / "set", leaks=60, clean=40), tmp_path / "new"
    assert run("gue", "split", data, "-o", output, "--seed", "2") == 0
    assert "rows before" in capsys.readouterr().out
    manifest = json.loads((output / "manifest.json").read_text())
    with (output / "moved.csv").open() as file:
        moved = list(csv.DictReader(file))
    before, after = read_splits(data)[0], read_splits(output)[0]
    assert (manifest["format"], manifest["version"]) == ("genotok cluster-disjoint splits", 1)
    assert (manifest["seed"], manifest["options"]) == (2, dataclasses.asdict(LocusOptions()))
    assert manifest["clean_test_rows_before"] == 40
    assert {name: one["rows"] for name, one in manifest["splits"].items()} == {
        name: len(split) for name, split in after.items()
    }
    stayed = sum(manifest["moved"][name][name] for name in before)
    assert stayed + len(moved) == sum(map(len, before.values()))
    for row in moved[:20]:
        source = before[row["split"]]
        sequence = source.sequences[source.lines.tolist().index(int(row["line"]))]
        assert sequence in after[row["new_split"]].sequences
    assert run("gue", "split", data, "-o", output, "--seed", "2") == 0  # the same files stay
    assert run("gue", "split", data, "-o", output, "--seed", "3") == 1
    assert "is there already with other contents; --force (force=True)" in capsys.readouterr().err
    assert run("gue", "split", data, "-o", output, "--seed", "3", "--force") == 0
    assert json.loads((output / "manifest.json").read_text())["seed"] == 3
    assert run("gue", "split", data, "-o", data) == 1
    assert run("gue", "split", data, "-o", tmp_path / "missing" / "new") == 1
    assert f"{tmp_path / 'missing'}: the output's folder does not exist" in capsys.readouterr().err


def test_tables_of_new_splits_name_their_columns(tmp_path: Path) -> None:
    rows = sequences(12, 80)
    for name, header in (("single", "sequence,label"), ("pairs", "sequence1,sequence2,label")):
        (tmp_path / name).mkdir()
        for number, split in enumerate(("train", "dev", "test")):
            part = rows[4 * number : 4 * number + 4]
            lines = [",".join([row] * header.count("sequence")) + f",{at % 2}" for at, row in enumerate(part)]
            (tmp_path / name / f"{split}.csv").write_text("\n".join([header, *lines]) + "\n")
        write_split(divide(*read_splits(tmp_path / name)), tmp_path / f"new-{name}")
        for split in ("train", "dev", "test"):
            new, old = tmp_path / f"new-{name}" / f"{split}.csv", tmp_path / name / f"{split}.csv"
            assert new.read_text() == old.read_text()


def test_numbers_are_divided_by_tenths_and_partitions_are_joined() -> None:
    numbers = np.random.default_rng(2).permutation(100).astype(float)
    tenths = _strata(Labels((), "regression"), numbers)
    assert tenths.tolist() == (numbers // 10).tolist()
    # Rows 0 and 1 are of one part, 1 and 2 of the other one's, so the three are joined.
    assert _joined(np.array([0, 0, 1, 2, 3]), np.array([4, 1, 1, 2, 2])).tolist() == [0, 0, 0, 1, 1]


def test_numbers_and_lists_of_labels_are_divided_too(tmp_path: Path) -> None:
    rows = sequences(60, 80)
    for name, kind in (("numbers", "regression"), ("lists", "multilabel")):
        values = [
            number / 3 if kind == "regression" else ("a;b", "b", "")[number % 3] for number in range(60)
        ]
        every = list(zip(rows, values, strict=True))
        for split, part in (("train", every[:40]), ("dev", every[40:50]), ("test", every[50:] + every[:5])):
            write_table(tmp_path / name / f"{split}.csv", part)
        splits, labels = read_splits(tmp_path / name, problem_type=kind)  # type: ignore[arg-type]
        found = divide(splits, labels)
        written = write_split(found, tmp_path / f"new-{name}")
        assert sum(one["rows"] for one in written["splits"].values()) == 65
        assert all(loci.all() for loci in [find_loci(found.divided()).is_clean("test", ["train", "dev"])])


def test_train_gives_dev_where_it_is_missing(tmp_path: Path) -> None:
    every = [(row, at % 2) for at, row in enumerate(sequences(44, 30))]
    for name, part in (("train", every[:40]), ("test", every[40:])):
        write_table(tmp_path / f"{name}.csv", part)
    parts, note = with_train(read_splits(tmp_path)[0])
    assert note == "there is no dev: 15 % of train are dev"
    assert (len(parts["train"]), len(parts["dev"]), len(parts["test"])) == (34, 6, 4)
    rows = {name: parts[name].lines.tolist() for name in ("train", "dev")}
    assert all(lines == sorted(lines) for lines in rows.values())
    assert sorted(rows["train"] + rows["dev"]) == list(range(2, 42))
    assert with_train(parts) == (parts, "")
    with pytest.raises(FileNotFoundError, match=r"no such folder; one with train\.csv"):
        find_tasks([tmp_path / "missing"])


def test_one_cluster_cannot_be_divided(tmp_path: Path) -> None:
    genome = sequences(1, 400)[0]
    for number, name in enumerate(("train", "dev", "test")):
        write_table(tmp_path / f"{name}.csv", [(genome[50 * number : 50 * number + 150], 0)] * 2)
    with pytest.raises(ArgumentError, match="clusters are too large to be divided"):
        divide(*read_splits(tmp_path))
