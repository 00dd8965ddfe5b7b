"""Scores on clean rows beside those on all rows: in tables, plots and commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genotok.evaluation.clean_sets import clean_set
from genotok.evaluation.mean_result import mean_result
from genotok.evaluation.results import lines, markdown, with_clean
from genotok.run_records.schemas import FinetuneRecord
from tests.support.commands import run

if TYPE_CHECKING:
    import pytest


def scored(value: float, clean: float | None, note: str = "") -> dict[str, object]:
    part: dict[str, object] = {"rows": 120 if clean is not None else 0, "loci": 110, "note": note}
    if clean is not None:
        part |= {"mcc": clean, "low": clean - 0.1, "high": clean + 0.1}
    return {"test": {"mcc": value, "low": value - 0.05, "high": value + 0.05, "clean": part}}


def record(*sets: dict[str, object], scratch: bool = False) -> FinetuneRecord:
    return FinetuneRecord(model="tiny", scratch=scratch, parameters=1_000_000, sets=sets)


def one_set(
    name: str, runs: list[dict[str, object]], baseline: dict[str, object] | None = None
) -> dict[str, object]:
    fitted = {"kmers": {"runs": [baseline]}} if baseline else None
    rows = {"train": 800, "dev": 100, "test": 300}
    return {"name": name, "metric": "mcc", "note": "", "rows": rows, "runs": runs, "baselines": fitted}


def test_a_line_has_its_clean_rows_below_it() -> None:
    runs = [scored(0.7, 0.5), scored(0.8, 0.52)]
    found = lines([record(one_set("mouse_0", runs, scored(0.6, 0.55)))])
    (line,) = found
    both = with_clean(found)
    assert [one.name for one in both] == ["mouse_0", "mouse_0, clean rows"]
    assert line.notes[-1] == "120 of 300 test rows are clean"
    clean = both[1]
    assert clean.ours[0] is not None
    assert (clean.ours[0].text, clean.ours[0].range) == ("51.0 ± 1.4", "41.0–61.0")
    assert clean.baselines["k-mer baseline"].text == "55.0"
    assert clean.published == {}
    table = markdown([record(one_set("mouse_0", runs, scored(0.6, 0.55)))])
    assert "| mouse_0, clean rows | **55.0** | **51.0 ± 1.4** | 41.0–61.0 |" in table
    assert "Clean rows: test rows that share no locus with train or dev" in table


def test_sets_without_clean_rows_say_so_and_old_records_say_nothing() -> None:
    note = "too few: 0 clean loci; at least 100 are wanted"
    found = lines([record(one_set("mine", [scored(0.7, None, note)]))])
    assert [one.name for one in with_clean(found)] == ["mine"]
    assert found[0].notes == (f"0 of 300 test rows are clean; {note}",)
    table = markdown([record(one_set("mine", [scored(0.7, None, note)]))])
    assert f"mine: 0 of 300 test rows are clean; {note}" in table
    old = scored(0.7, None)
    del old["test"]["clean"]  # type: ignore[attr-defined]
    assert mean_result([old], "mcc").clean_rows is None
    assert "lean rows" not in markdown([record(one_set("mine", [old]))])


def test_sets_are_reduced_to_clean_rows_for_plots() -> None:
    whole = one_set("mouse_0", [scored(0.7, 0.5)], scored(0.6, 0.55))
    clean = clean_set(whole)
    assert clean is not None
    assert (clean["runs"][0]["test"]["mcc"], clean["baselines"]["kmers"]["runs"][0]["test"]["mcc"]) == (
        0.5,
        0.55,
    )
    assert clean_set(one_set("mouse_0", [scored(0.7, None)])) is None


def leaking(folder: Path) -> Path:
    """A set of two classes without a signal; half of the test rows overlap rows of train."""
    draw = np.random.default_rng(9)
    rows = ["".join(row) for row in draw.choice(list("ACGT"), (600, 120))]
    labels = draw.integers(0, 2, 600).tolist()
    test = [(rows[number][30:], labels[number]) for number in range(120)]
    test += [(rows[number], labels[number]) for number in range(480, 600)]
    parts = {"train": range(400), "dev": range(400, 480)}
    folder.mkdir()
    for name, numbers in parts.items():
        text = "".join(f"{rows[number]},{labels[number]}\n" for number in numbers)
        (folder / f"{name}.csv").write_text(f"sequence,label\n{text}")
    text = "".join(f"{row},{label}\n" for row, label in test)
    (folder / "test.csv").write_text(f"sequence,label\n{text}")
    # Predictions that know train by heart, and nothing else.
    guess = [label for _, label in test[:120]] + draw.integers(0, 2, 120).tolist()
    (folder.parent / "mine.csv").write_text("predicted\n" + "".join(f"{one}\n" for one in guess))
    return folder


def test_predictions_are_scored_on_clean_rows_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = leaking(tmp_path / "data")
    assert run("evaluate", data, "--predictions", tmp_path / "mine.csv", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)["sets"]
    found = one["runs"][0]["test"]
    assert (found["loci"], found["clean"]["rows"], found["clean"]["loci"]) == (240, 120, 120)
    assert found["mcc"] > 0.3
    assert found["clean"]["low"] < 0 < found["clean"]["high"]
    assert run("evaluate", data, "--predictions", tmp_path / "mine.csv") == 0
    printed = capsys.readouterr().out
    assert "data, clean rows" in printed
    assert "120" in printed
