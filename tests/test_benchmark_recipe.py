"""Settings are compared on dev: test is not read, and what is finished is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")

from benchmarks import recipe  # noqa: E402

from tests.support.labelled import write_set  # noqa: E402


def test_test_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "GUE" / "prom" / "prom_core_tata"
    write_set(folder, {"train": 40, "dev": 20})
    (folder / "test.csv").write_text("sequence,label\nMKVLAAGIVG,0\n")
    common = ["-o", f"{tmp_path}/runs", "--task", "prom_core_tata", "--seeds", "1", "--threads", "1"]
    common += ["--set", "max_steps=2", "--set", "epochs=1", "--set", "evaluations=1"]

    def run(only: str) -> dict[str, Any]:
        recipe.main([str(tmp_path / "GUE"), *common, "--only", only])
        found: dict[str, Any] = json.loads((tmp_path / "runs" / "recipe.json").read_text())
        return found

    (case,) = run("base")["cases"]
    assert (case["title"], case["changes"]["max_steps"]) == ("base", 2)
    (one,) = case["sets"]
    assert one["mean"] == one["runs"][0]["dev"]["mcc"]
    kept = tmp_path / "runs" / "base" / "prom_core_tata" / "seed-1" / "result.json"
    before = kept.stat().st_mtime_ns
    both = run("base,one strand")
    assert {case["title"] for case in both["cases"]} == {"base", "one strand"}
    assert both["cases"][0]["mean"] >= both["cases"][1]["mean"]
    assert kept.stat().st_mtime_ns == before
    assert "on dev" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        run("luck")


def test_each_setting_can_be_named_in_a_list() -> None:
    assert not [name for name in recipe.SETTINGS if "," in name]
