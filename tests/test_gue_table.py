"""The table of GUE: baselines, clean rows and predictions of others beside published results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.gue_table import completed, costs, differences, markdown, rows
from docs.figures.draw_gue import draw

from genotok.run_records.schemas import BaselineRecord, PredictionsRecord

REDUCED = "train is missing: trained on 85 % of dev, the rest of it is dev"


def scored(value: float, clean: float | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"mcc": value, "low": value - 0.05, "high": value + 0.05}
    if clean is not None:
        found["clean"] = {"mcc": clean, "low": clean - 0.1, "high": clean + 0.1, "rows": 77, "note": ""}
    return found


def record(*sets: tuple[str, float], clean: float | None = None, note: str = "") -> BaselineRecord:
    def fitted(value: float) -> dict[str, Any]:
        runs = [
            {"seed": seed, "test": scored(value, clean), "epoch": 3, "epochs": 5, "cpu_seconds": 40.0,
             "parameters": 70_146, "weight_of_cnn": 0.7}
            for seed in (1, 2)
        ]  # fmt: skip
        kmers = {"penalty": 0.01, "seconds": 2.0, "parameters": 2761, "test": scored(value - 0.2, clean)}
        facts = {"stranded": False, "aligned": False}
        return {
            "kmers": {**facts, "runs": [kmers]},
            "cnn": {**facts, "runs": runs},
            "average": {"runs": runs},
        }

    return BaselineRecord(
        sets=[
            {
                "name": name,
                "metric": "mcc",
                "rows": {"train": 100, "test": 110},
                "note": note,
                "baselines": fitted(value),
            }
            for name, value in sets
        ]
    )


def line(text: str, name: str) -> list[str]:
    (found,) = [one for one in text.splitlines() if one.startswith(f"| {name} ")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_every_published_row_stands_beside_the_baselines() -> None:
    made = record(("mouse_0", 0.7), ("mouse_2", 0.6))
    text = markdown(made)
    assert len(rows(made)) == 28
    assert line(text, "set")[:7] == [
        "set",
        "k-mer",
        "CNN",
        "averaged",
        "95 %",
        "DNABERT-2-diamond",
        "NT-2500M-multi",
    ]
    assert line(text, "mouse_0")[:6] == [
        "mouse_0",
        "50.0",
        "**70.0 ± 0.0**",
        "**70.0 ± 0.0**",
        "65.0–75.0",
        "64.2",
    ]
    assert line(text, "mouse_2")[3] == "60.0 ± 0.0"  # below published results: not bold
    assert line(text, "virus_covid")[1:5] == [""] * 4
    assert line(text, "mean of 2 complete sets")[1:4] == ["45.0", "65.0", "65.0"]
    assert "Mean over mouse_0, mouse_2: averaged baseline 65.0; CNN 65.0; k-mers 45.0; DNABERT-2 68.0" in text
    assert line(costs(made), "mouse_0") == [
        "mouse_0", "100", "both", "2", "0.01", "2", "40", "5", "3, 3", "0.7, 0.7",
    ]  # fmt: skip


def test_sets_with_fewer_seeds_stand_beside_the_others(tmp_path: Path) -> None:
    fewer = record(("mouse_2", 0.6), ("emp_H3", 0.5), ("mouse_0", 0.1))
    for one in fewer.sets:
        del one["baselines"]["cnn"]["runs"][1], one["baselines"]["average"]["runs"][1:]
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "2026-01-01-baseline-further-sets.json").write_bytes(fewer.text().encode())
    made = completed(record(("mouse_0", 0.7)), tmp_path)
    assert [one["name"] for one in made.sets] == ["emp_H3", "mouse_0", "mouse_2"]
    text = markdown(made)
    assert (line(text, "mouse_0")[2], line(text, "mouse_2")[2]) == ("**70.0 ± 0.0**", "60.0")
    assert "over seeds (1: emp_H3, mouse_2; 2: mouse_0), then" in text
    assert completed(made, tmp_path / "none").sets == made.sets


def test_clean_rows_and_reduced_sets_and_predictions_of_others() -> None:
    made = record(("emp_H3", 0.9), clean=0.5, note=REDUCED)
    sets = [{"name": "emp_H3", "metric": "mcc", "runs": [{"test": scored(0.85, clean=0.6)}]}]
    text = markdown(made, [PredictionsRecord(model="mine", sets=sets)])
    cells = line(text, "emp_H3*")
    assert line(text, "set")[5:9] == ["clean rows", "averaged, clean rows", "95 %", "mine"]
    assert cells[3:9] == ["90.0 ± 0.0", "85.0–95.0", "77", "50.0 ± 0.0", "40.0–60.0", "85.0; clean 60.0"]
    assert "mean of" not in text
    assert line(differences(made), "emp_H3*") == [
        "emp_H3*", "110", "30.0%", "70.0, 50.0", "90.0, 50.0", "90.0, 50.0", "\N{MINUS SIGN}40.0",
    ]  # fmt: skip
    assert "the averaged baseline changes by: emp_H3 \N{MINUS SIGN}40.0." in differences(made)
    assert "mouse_0" not in differences(record(("mouse_0", 0.7)))
    figure = draw(made)
    assert "emp_H3*" in figure
    assert "clean rows" in figure
    assert "clean rows" not in draw(record(("mouse_0", 0.7)))
