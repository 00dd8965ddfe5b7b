"""The matched trial: arms differ in one thing, runs are kept, and its tables are those of the record."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")

from benchmarks import matched, matched_tables  # noqa: E402
from benchmarks.matched_arms import CORE, REFERENCE, all_arms, arm_of, settings_of  # noqa: E402
from docs.figures.draw_tokenizers import draw  # noqa: E402

from genotok.compare.trial import Arm, choices, contrasts, trial_rows  # noqa: E402
from genotok.errors import ArgumentError  # noqa: E402
from genotok.finetune import FinetuneConfig  # noqa: E402
from genotok.finetune.start import encoder_of  # noqa: E402
from genotok.report.records import FoundRecord  # noqa: E402
from genotok.report.trial import trial_section  # noqa: E402
from genotok.run_records.schemas import BenchmarkRecord, PredictionsRecord  # noqa: E402
from genotok.training.settings import configured, preset  # noqa: E402
from tests.support.labelled import write_set  # noqa: E402


def test_arms_have_titles_and_settings_of_their_own() -> None:
    arms = all_arms()
    assert set(arms) >= CORE
    assert arms[0] == REFERENCE
    assert settings_of(REFERENCE) == {"vocab": 512}
    assert len({arm.title for arm in arms}) == len({str(settings_of(arm)) for arm in arms}) == len(arms)
    for arm in arms:
        assert arm_of(arm.title) == arm
        bases = preset("genotok.finetune", "bases")
        encoder = encoder_of(configured(FinetuneConfig, bases, settings_of(arm)))
        assert (encoder.base_features != "none", encoder.num_layers > 0) == (arm.features, arm.layers)
        assert encoder.alibi == arm.alibi
    for title in ("BPE many", "BPE 64, no luck", "luck"):
        with pytest.raises(ArgumentError, match=f"arm={title}: "):
            arm_of(title)


def test_runs_are_kept_and_spend_what_the_reference_does(tmp_path: Path) -> None:
    write_set(tmp_path / "GUE" / "prom" / "prom_core_tata", {"train": 60, "dev": 20, "test": 20})
    common = ["-o", f"{tmp_path}/runs", "--sets", "prom_core_tata", "--seeds", "1", "--threads", "1"]
    common += ["--set", "max_steps=3", "--set", "epochs=1", "--set", "evaluations=1", "--set", "batch=8"]

    def run(*words: str) -> dict[str, Any]:
        matched.main([str(tmp_path / "GUE"), *common, *words])
        found: dict[str, Any] = json.loads((tmp_path / "runs" / "matched.json").read_text())
        return {(case["title"], case["equal"]): case["sets"][0] for case in found["cases"]}

    chosen = ["--only", r"^BPE 512 \+ features(, no layers)?$", "--arm", "patches of 6"]
    first = run(*chosen, "--equal", "bases", "--part", "1/2")
    assert set(first) == {("BPE 512 + features", "bases"), ("patches of 6", "bases")}
    kept = tmp_path / "runs/bases/BPE-512-+-features/prom_core_tata/results.json"
    before = kept.stat().st_mtime_ns
    found = run(*chosen)
    assert kept.stat().st_mtime_ns == before
    assert len(found) == 5  # the reference is its own equal
    assert run(*chosen, "--collect") == found
    reference = found["BPE 512 + features", "bases"]["runs"][0]
    patches = found["patches of 6", "compute"]["runs"][0]
    step = patches["operations"] / patches["steps"]
    assert abs(patches["operations"] - reference["operations"]) <= step / 2
    assert patches["steps"] != reference["steps"] == 3
    bag = found["BPE 512 + features, no layers", "bases"]
    assert bag["runs"][0]["operations"] < reference["operations"]
    with pytest.raises(SystemExit):
        run("--arm", "luck")
    with pytest.raises(ArgumentError, match="learning_rate"):
        run(*chosen, "--set", "learning_rate=1e-4")


def case(
    arm: Arm, mcc: float, equal: str = "bases", *, sets: tuple[str, ...] = ("one", "two")
) -> dict[str, Any]:
    def runs(value: float) -> list[dict[str, Any]]:
        test = {"mcc": value, "low": value - 0.06, "high": value + 0.08}
        clean = {"mcc": value - 0.01, "low": value - 0.1, "high": value + 0.1, "rows": 90, "note": ""}
        facts = {"steps": 10, "best_step": 5, "cpu_seconds": 3.0, "operations": 2e12}
        return [
            {"seed": seed, "dev": {"mcc": value}, "test": {**test, "clean": clean}, **facts}
            for seed in (1, 2)
        ]

    size = {"vocab_size": 512, "tokens_per_row": 20.5, "parameters": 1_000_000, "shuffled": 0.25}
    found = [{"name": name, "metric": "mcc", **size, "runs": runs(mcc)} for name in sets]
    return {"title": arm.title, "equal": equal, "arm": asdict(arm), "sets": found}


def record() -> BenchmarkRecord:
    cases = [
        case(REFERENCE, 0.70),
        case(Arm("BPE 512", features=False), 0.50),
        case(Arm("BPE 16", features=False), 0.40),
        case(Arm("BPE 512", features=True, identities=False), 0.72),
        case(Arm("patches of 5", features=True), 0.74),
        case(Arm("patches of 5", features=True), 0.73, "compute"),
        case(Arm("BPE 512", features=False, layers=False), 0.30),
        case(Arm("bases", features=True), 0.9, sets=("one",)),
    ]
    more = {"config": {"epochs": 4, "batch": 64}, "reference": REFERENCE.title}
    return BenchmarkRecord(kind="matched", cases=cases, caveats=["Small."], more=more)


def test_the_tables_say_what_the_record_does() -> None:
    rows = trial_rows(record())
    assert all(row.arm.tokenizer != "bases" for row in rows)  # it lacks a set
    first = rows[0]
    assert first.mean.text == "70.0 ± 0.0"
    assert first.mean.interval.low == pytest.approx(70 - 6 / 2**0.5)
    assert (first.clean, first.operations, first.seconds) == (pytest.approx(69), 4e12, 6)
    assert {(row.arm.tokenizer, row.arm.features, row.equal) for row in choices(rows)} == {
        ("BPE 512", True, "bases"),
        ("BPE 512", False, "bases"),
        ("BPE 512", True, "compute"),
        ("patches of 5", True, "bases"),
        ("patches of 5", True, "compute"),
    }
    found = {(one.name, one.equal): one for one in contrasts(rows)}
    assert found["base features", "bases"].mean == pytest.approx(20)
    assert found["identities of tokens", "bases"].changes == {"BPE 512 + features": pytest.approx(-2)}
    assert found["layers", "bases"].mean == pytest.approx(20)
    assert ("directional attention", "bases") not in found
    text = matched_tables.choices_markdown(record())
    assert "| fixed patches | yes | bases | patches of 5 | 20.5 | 4.00 | 74.0 ± 0.0 | 69.8–79.7 |" in text
    assert "| base features | bases | 1 | +20.0 |" in matched_tables.contrasts_markdown(record())
    assert "BPE 512 + features" in matched_tables.conditions(record())
    runs = [{"test": {"mcc": 0.8, "low": 0.7, "high": 0.9}}]
    sets = [{"name": name, "metric": "mcc", "runs": runs} for name in ("one", "two")]
    others = [PredictionsRecord(model="mine", sets=sets), PredictionsRecord(model="half", sets=sets[:1])]
    text = matched_tables.arms(record(), others)
    assert "| mine | given | – | – | – | – | – | 80.0 | – | – | – | – |" in text
    assert "half" not in text
    assert "70.0 ± 0.0, 69.0" in matched_tables.sets_markdown(record())


def test_figure_and_section_have_every_arm() -> None:
    source = draw(record())
    for row in trial_rows(record()):
        assert f"{row.arm.title}, equal {row.equal}: {row.mean.text}" in source
    section = trial_section(FoundRecord("matched.json", "matched", "matched", record().to_json()))
    assert len(section.tables[0].rows) == len(trial_rows(record()))
    assert "patches of 5 + features" in section.summary
