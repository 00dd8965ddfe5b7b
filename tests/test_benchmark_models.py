"""Small encoders on sets of GUE: runs are kept, and their tables are those of the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")
pytest.importorskip("sklearn", reason="needs scikit-learn: the extra `train`")

from benchmarks import gue_models, model_tables  # noqa: E402

from genotok.report.finetuning import finetuning_section  # noqa: E402
from genotok.report.recipes import recipe_section  # noqa: E402
from genotok.report.records import FoundRecord  # noqa: E402
from genotok.run_records.schemas import BenchmarkRecord  # noqa: E402
from tests.support.labelled import write_set  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


def test_models_are_averaged_with_baselines_that_are_fitted_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("prom/prom_core_tata", "mouse/0"):
        write_set(tmp_path / "GUE" / name, {"train": 40, "dev": 20, "test": 20})
    common = ["-o", f"{tmp_path}/runs", "--sets", "prom_core_tata,mouse_0", "--seeds", "1,2"]
    common += ["--threads", "1", "--set", "max_steps=2", "--set", "evaluations=1"]

    def run(*words: str) -> list[dict[str, Any]]:
        gue_models.main([str(tmp_path / "GUE"), *common, *words])
        found: dict[str, Any] = json.loads((tmp_path / "runs" / "gue.json").read_text())
        assert "--seeds 1,2" in found["commands"][0]
        assert str(tmp_path / "GUE") not in found["commands"][0]
        records: list[dict[str, Any]] = found["records"]
        return records

    assert [[one["name"] for one in record["sets"]] for record in run("--part", "2/2")] == [["mouse_0"]] * 2
    fitted = tmp_path / "runs/baselines/mouse_0/mouse_0/seed-1/fitted.json"
    before = fitted.stat().st_mtime_ns
    first, second = run()
    assert fitted.stat().st_mtime_ns == before
    assert [first["model"], second["model"]] == ["tokens and bases", "tokens alone"]
    assert second["config"]["base_features"] == "none"
    for record in (first, second):
        assert [one["name"] for one in record["sets"]] == ["prom_core_tata", "mouse_0"]
        for one in record["sets"]:
            assert "baselines" not in one
            assert [run["seed"] for run in one["with_baselines"]["runs"]] == [1, 2]
    pretrained = tmp_path / "runs/tokens-and-bases/mouse_0/mouse_0/model"
    (third,) = run("--only", "again", "--model", f"again={pretrained}")
    assert (third["model"], third["scratch"]) == ("again", False)
    assert "tokens alone, prom_core_tata" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run("--model", "nothing")

    record = {"kind": "gue", "records": [first, second]}
    table = model_tables.means(record)
    value = 100 * (first["sets"][0]["mean"] + first["sets"][1]["mean"]) / 2
    assert f"| tokens and bases, from scratch | {value:.1f} ± " in table
    assert "| DNABERT-2, published | 65.5 |" in table
    assert "| averaged baseline | " in table
    assert "tokens alone, from scratch" in model_tables.markdown(record)
    section = finetuning_section(FoundRecord("gue.json", "gue.json", "gue", record))
    assert "tokens and bases, from scratch" in section.summary


def test_settings_are_a_table_with_the_best_first() -> None:
    def case(title: str, value: float) -> dict[str, Any]:
        runs = [{"seed": 1, "dev": {"mcc": value}, "best_step": 1, "steps": 2, "seconds": 3.0}]
        sets = [{"name": "mouse_0", "metric": "mcc", "mean": value, "runs": runs}]
        return {"title": title, "changes": {"layers": 1}, "mean": value, "sets": sets}

    record = BenchmarkRecord(
        kind="recipe", cases=[case("one layer", 0.5), case("base", 0.4)], caveats=["Dev."]
    )
    assert "| one layer | 50.0 | 50.0 | 3 |\n| base | 40.0 |" in model_tables.recipe_markdown(record)
    section = recipe_section(FoundRecord("recipe.json", "recipe.json", "recipe", record.to_json()))
    assert "Best on dev: one layer, 50.0 %" in section.summary
    (table,) = section.tables
    assert [cell.text for cell in table.rows[0]][:3] == ["one layer", "layers=1", "50.0"]
