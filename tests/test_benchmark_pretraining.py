"""Does pre-training pay: both encoders read the same windows, and each point is fine-tuned and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")
pytest.importorskip("sklearn", reason="needs scikit-learn: the extra `train`")

from benchmarks import model_tables, pretraining_trial  # noqa: E402

from genotok.report.recipes import pretraining_trial_section  # noqa: E402
from genotok.report.records import FoundRecord  # noqa: E402
from genotok.run_records.schemas import BenchmarkRecord  # noqa: E402
from tests.support.labelled import write_set  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.usefixtures("one_thread")


def test_points_of_both_encoders_are_fine_tuned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path / "GUE" / "mouse" / "0", {"train": 40, "dev": 20, "test": 20})
    words = [str(tmp_path / "GUE"), str(ROOT / "genomes" / "lambda_phage.fa"), "-o", f"{tmp_path}/trial"]
    words += ["--sets", "mouse_0", "--seeds", "1", "--threads", "1", "--steps", "2", "--set", "batch=4"]
    for each in ("warmup=1", "layers=1"):
        words += ["--set", each]
    for each in ("max_steps=2", "evaluations=1"):
        words += ["--finetune", each]

    def run() -> dict[str, Any]:
        pretraining_trial.main(words)
        found: dict[str, Any] = json.loads((tmp_path / "trial" / "trial.json").read_text())
        return found

    found = run()
    titles = [case["title"] for case in found["cases"]]
    steps = (0, 1, 2)
    assert titles == [f"{one}, step {step}" for one in pretraining_trial.ENCODERS for step in steps]
    assert [case["bases"] for case in found["cases"]][:3] == [0, 2000, 4000]
    bits = [case["bits_per_base"] for case in found["cases"]]
    assert [one is None for one in bits] == [step == 0 for step in steps] * 2
    assert min(one for one in bits if one is not None) > 0
    kept = [
        path.stat().st_mtime_ns for path in sorted((tmp_path / "trial" / "finetuned").rglob("result.json"))
    ]
    assert len(kept) == 6
    config = json.loads((tmp_path / "trial/tokens-alone/points/2/config.json").read_text())
    assert (config.get("base_features", "none"), config["num_hidden_layers"]) == ("none", 1)
    again = run()
    assert again["cases"] == found["cases"]
    output = capsys.readouterr().out.splitlines()
    assert output[0].startswith("tokens and bases, step 0, seed 1: ")
    assert [line.split(",")[1] for line in output[:4]] == [" step 0", " step 2"] * 2
    words[words.index("--seeds") + 1] = "1,2"
    words.append("--collect")
    assert run()["cases"] == found["cases"]
    words.pop()
    both = run()["cases"]
    assert [[run["seed"] for run in case["sets"][0]["runs"]] for case in both] == [[1, 2]] * 6
    assert both[3]["sets"][0]["runs"][0] == found["cases"][3]["sets"][0]["runs"][0]

    record = BenchmarkRecord.from_json(found)
    table = model_tables.pretraining_markdown(record)
    assert "| tokens and bases | 0 |  | " in table
    assert f"| tokens alone | {2 * 4 * 500 / 1e6:g} | " in table
    section = pretraining_trial_section(FoundRecord("trial.json", "trial.json", "pretraining-trial", found))
    assert len(section.tables[0].rows) == 6
