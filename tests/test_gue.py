"""GUE's table, the files of its layout, audits, tasks in folders, and tables of results."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genotok.compare.table import comparison_rows
from genotok.errors import ArgumentError, SequenceFileError
from genotok.evaluation.results import lines, markdown, notes, summary
from genotok.gue import (
    Labels,
    audit,
    find_tasks,
    gue_set,
    gue_sets,
    published,
    read_labelled,
    read_splits,
)
from genotok.run_records.schemas import ComparisonRecord, FinetuneRecord
from tests.support.labelled import write_set

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "gue"

# -- the table --------------------------------------------------------------------------------------


def test_there_are_36_sets_of_9_tasks() -> None:
    found = gue_sets()
    assert len(found) == len({one.name for one in found}) == len({one.folder for one in found}) == 36
    assert len({one.task for one in found}) == 9
    assert [one.name for one in found if one.metric == "f1"] == ["virus_covid"]
    assert sum(one.suite == "GUE+" for one in found) == 8
    assert all((one.settings is None) == (one.suite == "GUE+") for one in found)
    assert sum(one.pairs for one in found) == 6


def test_the_means_of_published_results_are_the_published_means() -> None:
    means = {
        model: sum(row[model] for row in published().values()) / 28
        for model in ("DNABERT-2", "DNABERT-2-diamond", "NT-2500M-multi", "DNABERT-3mer")
    }
    expected = {
        "DNABERT-2": 66.80,
        "DNABERT-2-diamond": 67.77,
        "NT-2500M-multi": 66.93,
        "DNABERT-3mer": 61.62,
    }
    assert means == pytest.approx(expected, abs=0.015)
    assert set(published()) == {one.name for one in gue_sets() if one.suite == "GUE"}


def test_an_unknown_set_is_named() -> None:
    with pytest.raises(ArgumentError, match="emp_H5: no set of GUE"):
        gue_set("emp_H5")


# -- files ------------------------------------------------------------------------------------------


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("sequence,label\n", "has a header and no rows"),
        ("sequence,class\nACGT,1\n", "columns sequence, class"),
        ("label\n1\n", "columns label"),
        ("a,b,c,d\nA,1,2,3\n", "columns a, b, c, d"),
        ("sequence,label\nACGT\n", "line 2: 1 fields; the header has 2"),
        ("sequence,label\nACGT,1,2\n", "line 2: 3 fields"),
        ("sequence,label\nACGT,1\n,0\n", "line 3: an empty sequence"),
        ("sequence,label\nACGT,\n", "line 2: no label"),
        ("sequence,label\nAC~T,1\n", "line 2: '~' in a sequence"),
        ("sequence,label\nNNNN,1\nnn,0\n", "no base (A, C, G, T) in its 2 records"),
        ("sequence,label\nAC GT,1\n", "line 2: ' ' in a sequence"),
        (b"sequence,label\nAC\x00GT,1\n", "line"),
        (b"sequence,label\n\xff\xfe,1\n", "damaged, or not what its name says"),
        ('sequence,label\n"ACGT,1\n', "damaged, or not what its name says"),
        ("sequence\tlabel\nACGT\t1\n", "columns sequence\tlabel"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    path = write(tmp_path / "test.csv", text)
    with pytest.raises(SequenceFileError) as caught:
        read_labelled(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["valid", "val", "validation"])
def test_the_dev_split_may_have_its_other_names(tmp_path: Path, name: str) -> None:
    write_set(tmp_path, {"train": 20, name: 10, "test": 12})
    found, _ = read_splits(tmp_path)
    assert {split: len(rows) for split, rows in found.items()} == {"train": 20, "dev": 10, "test": 12}
    assert found["dev"].path == str(tmp_path / f"{name}.csv")
    write_set(tmp_path, {"dev": 10})
    with pytest.raises(
        ArgumentError, match=rf"dev\.csv and {name}\.csv are there; one file of the dev split is expected"
    ):
        read_splits(tmp_path)
    (tmp_path / "dev.csv").unlink()
    (tmp_path / "test.csv").unlink()
    with pytest.raises(
        ArgumentError, match=r"dev\.csv \(or valid\.csv, val\.csv, validation\.csv\) and test\.csv"
    ):
        read_splits(tmp_path)


def test_columns_are_found_by_name_or_by_place(tmp_path: Path) -> None:
    named = read_labelled(write(tmp_path / "a.csv", "\ufefflabel,note,sequence\n3,x,acgtn\n\n0,y,ACGT\n"))
    assert (named.sequences, named.texts, named.lines.tolist()) == (("acgtn", "ACGT"), ("3", "0"), [2, 4])
    placed = read_labelled(write(tmp_path / "b.csv", "one,two,y\nAC,GT,1\n"))
    assert (placed.sequences, placed.partners, placed.texts) == (("AC",), ("GT",), ("1",))
    pair = read_labelled(write(tmp_path / "c.csv", "sequence2,sequence1,label\nAC,GT,1\n"))
    assert (pair.sequences, pair.partners) == (("GT",), ("AC",))
    bare = read_labelled(write(tmp_path / "d.csv", "id,sequence\n1,ACGT\n"), need_labels=False)
    assert bare.texts == ("",)


def test_a_sequence_of_two_million_bases_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "long.csv", f"sequence,label\n{'ACGT' * 500_000},1\n")
    assert len(read_labelled(path).sequences[0]) == 2_000_000


def test_splits_share_their_classes(tmp_path: Path) -> None:
    write_set(tmp_path, {"train": 20, "dev": 10, "test": 10}, names="ab")
    found, classes = read_splits(tmp_path)
    assert classes.names == ("a", "b")
    assert found["test"].labels.tolist() == [0, 1] * 5
    (tmp_path / "test.csv").write_text("sequence,label\nACGT,c\n")
    with pytest.raises(SequenceFileError, match=r"test.csv: line 2: label 'c' is in no row of .*train.csv"):
        read_splits(tmp_path)
    with pytest.raises(SequenceFileError, match=r"line 2: label 'a'; one of 0, 1 is expected"):
        read_splits(tmp_path, classes=2)
    (tmp_path / "test.csv").write_text("sequence1,sequence2,label\nACGT,A,a\n")
    with pytest.raises(SequenceFileError, match="not as many columns"):
        read_splits(tmp_path)
    (tmp_path / "test.csv").unlink()
    with pytest.raises(ArgumentError, match=r"there is: dev.csv, train.csv"):
        read_splits(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_splits(tmp_path / "nothing")


def test_labels_are_names() -> None:
    assert Labels.of(["3", "0"]).names == ("0", "3")
    assert Labels.of(["10", "x"]).names == ("10", "x")
    with pytest.raises(ArgumentError, match="distinct labels"):
        Labels.of([f"x{number}" for number in range(2000)])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = write(tmp_path_factory.mktemp("fuzz") / "x.csv", b"sequence,label\n" + data)
    with suppress(SequenceFileError):
        assert all(read_labelled(path).sequences)


# -- tasks ------------------------------------------------------------------------------------------


def test_tasks_are_folders_or_gues_layout(tmp_path: Path) -> None:
    write_set(tmp_path / "GUE" / "EMP" / "H3", {"dev": 4, "test": 4})
    write_set(tmp_path / "GUE" / "mouse" / "0", {"train": 4, "dev": 4, "test": 4})
    write_set(tmp_path / "mine", {"train": 4, "test": 4})
    assert [task.name for task in find_tasks([tmp_path / "GUE", tmp_path / "mine"])] == [
        "emp_H3",
        "mouse_0",
        "mine",
    ]
    (one,) = find_tasks([tmp_path / "GUE"], ["mouse_0"])
    assert (one.name, one.metric, one.classes) == ("mouse_0", "mcc", 2)
    (mine,) = find_tasks([tmp_path / "mine"])
    assert (mine.known, mine.classes) == (None, None)
    with pytest.raises(ArgumentError, match="mouse_1: not under"):
        find_tasks([tmp_path / "GUE"], ["mouse_1"])
    with pytest.raises(ArgumentError, match=r"no test\.csv"):
        find_tasks([tmp_path])
    with pytest.raises(ArgumentError, match="two data sets"):
        find_tasks([tmp_path / "mine", tmp_path / "mine"])
    with pytest.raises(FileNotFoundError):
        find_tasks([tmp_path / "no"])


# -- audits -----------------------------------------------------------------------------------------


def naive_overlap(rows: list[str], earlier: list[str]) -> tuple[int, int]:
    """Exact and reverse-complement repeats, by comparing all with all."""
    flip = str.maketrans("ACGT", "TGCA")
    exact = sum(row in earlier for row in rows)
    reverse = sum(row not in earlier and row[::-1].translate(flip) in earlier for row in rows)
    return exact, reverse


def test_planted_repeats_are_found(tmp_path: Path) -> None:
    draw = np.random.default_rng(7)
    base = ["".join(draw.choice(list("ACGT"), 200)) for _ in range(40)]
    flip = str.maketrans("ACGT", "TGCA")
    edited = base[3][:100] + ("A" if base[3][100] != "A" else "C") + base[3][101:]
    test = [
        base[0],
        base[1].lower(),
        base[2][::-1].translate(flip),
        edited,
        "".join(draw.choice(list("ACGT"), 200)),
    ]
    for name, rows, labels in (("train", base[:30], "0101"), ("dev", base[30:], "01"), ("test", test, "11")):
        text = "".join(f"{row},{labels[number % len(labels)]}\n" for number, row in enumerate(rows))
        write(tmp_path / f"{name}.csv", f"sequence,label\n{text}" + ("ACGT,0\n" if name == "test" else ""))
    found, classes = read_splits(tmp_path)
    result = audit(found, classes, count_tokens=lambda side: np.full(len(side), 7), max_tokens=(8, 9))

    seen = result.splits["test"].against["train"]
    assert (seen.exact, seen.reverse, seen.near) == (2, 1, 1)
    assert seen.conflicting == 2  # base[0] and base[2] were of class 0
    assert result.splits["test"].against["dev"].rows == 0
    assert result.splits["dev"].within.rows == 0
    assert result.splits["test"].lower_case == 200
    assert result.splits["test"].cut == {8: 1.0, 9: 0.0}
    assert (result.splits["test"].bases.least, result.splits["test"].bases.most) == (4, 200)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ACGT", min_size=1, max_size=4), min_size=1, max_size=12), st.integers(1, 8))
def test_exact_and_reverse_repeats_are_those_of_comparing_all(
    tmp_path_factory: pytest.TempPathFactory, rows: list[str], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("audit")
    parts = {"train": [*rows[:cut], "AAAAAA"], "test": [*rows[cut:], "AAAAAA"]}
    for name, part in parts.items():
        write(folder / f"{name}.csv", "sequence,label\n" + "".join(f"{row},0\n" for row in part))
    result = audit(*read_splits(folder))
    found = result.splits["test"].against["train"]
    assert (found.exact, found.reverse) == naive_overlap(parts["test"], parts["train"])


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real sets")
@pytest.mark.slow
def test_the_real_sets_are_what_the_table_says() -> None:
    for task in find_tasks([REAL]):
        assert task.known is not None
        found, classes = read_splits(task.folder, classes=task.classes)
        assert len(classes) == task.known.classes
        for name, rows in zip(("train", "dev", "test"), task.known.rows, strict=True):
            if name in found:
                assert len(found[name]) == rows, (task.name, name)
        lengths = {len(one) for one in found["test"].sequences}
        assert max(lengths) == pytest.approx(task.known.bases, abs=12), task.name


# -- results ----------------------------------------------------------------------------------------


def record(model: str, values: dict[str, list[float]], *, scratch: bool = False) -> FinetuneRecord:
    def run(value: float) -> dict[str, object]:
        return {"test": {"mcc": value, "low": value - 0.05, "high": value + 0.05}}

    sets = [
        {
            "name": name,
            "metric": "mcc",
            "note": "train is missing: trained on 85 % of dev" if name == "emp_H3" else "",
            "cut": {"train": 0, "dev": 0, "test": 2 if name == "mouse_0" else 0},
            "max_tokens": 30,
            "baseline": None if scratch else run(0.5),
            "runs": [run(value) for value in found],
        }
        for name, found in values.items()
    ]
    return FinetuneRecord(model=model, scratch=scratch, parameters=1_000_000, sets=sets)


def test_a_table_says_what_differs_and_what_cannot_be_compared() -> None:
    records = [
        record("tiny", {"mouse_0": [0.7, 0.72], "emp_H3": [0.5]}),
        record("tiny", {"mouse_0": [0.4, 0.5], "emp_H3": [0.53]}, scratch=True),
    ]
    first, second = lines(records)
    assert (first.ours[0].text, first.ours[0].range, first.ours[0].seeds) == ("71.0 ± 1.4", "66.0–76.0", 2)
    assert first.published["DNABERT-2"] == 56.76
    assert first.notes == (
        "tiny, from scratch and the baseline: within their intervals",
        "2 sequences cut at 30 tokens",
    )
    assert second.is_reduced
    assert second.ours[1].text == "53.0"
    assert summary(records) == (
        "tiny against tiny, from scratch: +11.5 on average over 2 sets; better on 1, of which 1 beyond the "
        "intervals; worse on 1, of which 0 beyond them."
    )
    text = markdown(records)
    assert "| mouse_0 | 50.0 | **71.0 ± 1.4** | 66.0–76.0 | 45.0 ± 7.1 | 40.0–50.0 | 56.8 | 63.3 |" in text
    assert "| emp_H3* |" in text
    assert "Reduced, not comparable with published numbers: emp_H3" in text
    assert summary(records[:1]) == ""
    assert any("1.0 million" in one for one in notes(records))


def test_results_are_written_in_the_units_of_their_metrics() -> None:
    def runs(metric: str, *values: float, **others: float) -> list[dict[str, object]]:
        return [
            {"test": {metric: value, "low": value - 0.25, "high": value + 0.05, **others}} for value in values
        ]

    def one_set(name: str, metric: str, *values: float, **others: float) -> dict[str, object]:
        facts = {"note": "", "cut": {"train": 0}, "max_tokens": 9, "baseline": None}
        return {"name": name, "metric": metric, **facts, "runs": runs(metric, *values, **others)}

    sets = [
        one_set("levels", "pearson", 0.8, 0.9, spearman=0.75, rmse=1234.5),
        one_set("kinds", "map", 0.5, f1_micro=0.25),
        one_set("mouse_0", "mcc", 0.5),
    ]
    one = FinetuneRecord(model="tiny", scratch=False, parameters=1_000_000, sets=sets)
    numbers, labels, classes = lines([one])
    assert (numbers.ours[0].text, numbers.ours[0].range) == ("0.850 ± 0.071", "0.600–0.900")  # type: ignore[union-attr]
    assert (labels.ours[0].text, classes.ours[0].text) == ("50.0", "50.0")  # type: ignore[union-attr]
    assert numbers.others == ("tiny: Spearman 0.750, RMSE 1234",)
    assert (labels.others, classes.others) == (("tiny: micro F1 25.0 %",), ())
    text = markdown([one])
    assert text.startswith("| set | metric | k-mer baseline |")
    assert "| levels | Pearson |  | **0.850 ± 0.071** |" in text
    assert "levels, tiny: Spearman 0.750, RMSE 1234" in text
    assert "Percent of mAP, MCC; Pearson; mean and deviation" in text
    worse = replace(one, scratch=True, sets=[one_set("levels", "pearson", 0.1), *sets[1:]])
    assert summary([one, worse]).startswith("tiny against tiny, from scratch: better on 1, of which 1 beyond")
    only = [replace(record, sets=record.sets[:1]) for record in (one, worse)]
    assert "+0.750 on average over 1 sets" in summary(only)


def test_there_is_no_mean_of_other_units() -> None:
    def compared(*metrics: str) -> ComparisonRecord:
        sets = []
        for metric in metrics:
            run = {"test": {metric: 0.5, "low": 0.4, "high": 0.6}, "seconds": 1.0}
            facts = {"note": "", "cut": {"train": 0}, "max_tokens": 9, "baseline": None}
            sets.append({"name": metric, "metric": metric, **facts, "runs": [run]})
        tuned = {"model": "x", "scratch": False, "parameters": 10, "sets": sets}
        known = {"tokens_per_window": 1.0, "parameters": 10, "seconds": 1.0, "eval_accuracy": 0.1}
        bits = {"eval_bits_per_base": 2.0, "eval_unigram_bits_per_base": 2.0}
        one = {
            "name": "x",
            "vocab_size": 9,
            "overlap_bases": 0,
            "pretrain": {**known, **bits},
            "finetune": tuned,
        }
        facts: dict[str, Any] = {"files": [], "sets": metrics, "window": 1, "bases": 0}
        return ComparisonRecord(**facts, pretrain={}, finetune={}, tokenizers=[one])

    *_, numbers, mean = comparison_rows(compared("pearson"))
    assert (numbers.name, mean.name, mean.cells) == ("pearson, Pearson", "mean over sets", ("0.500", ""))
    assert comparison_rows(compared("mcc", "map"))[-1].cells == ("50.0", "")
    assert comparison_rows(compared("mcc", "pearson"))[-1].name == "pearson, Pearson"
