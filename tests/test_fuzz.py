"""The fuzz drivers: each input of the readers' corpus, and some changes of it; what a stranger is told."""

from __future__ import annotations

import importlib
import random
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FUZZ = Path(__file__).resolve().parent.parent / "fuzz"
sys.path.append(str(FUZZ))  # where the drivers' own imports are, as for python fuzz/run.py
ledger: Any = importlib.import_module("ledger")
DRIVER: dict[str, Any] = runpy.run_path(str(FUZZ / "readers.py"))
RUN: dict[str, Any] = runpy.run_path(str(FUZZ / "run.py"), run_name="run")
INPUTS = [(name, path) for name in DRIVER["READERS"] for path in sorted((DRIVER["CORPUS"] / name).iterdir())]


@pytest.mark.parametrize(("name", "path"), INPUTS, ids=[f"{name}-{path.name}" for name, path in INPUTS])
def test_an_input_of_the_corpus_is_read_or_refused(name: str, path: Path, tmp_path: Path) -> None:
    DRIVER["check"](DRIVER["READERS"][name], path.read_bytes(), tmp_path)


@pytest.mark.parametrize("name", DRIVER["READERS"])
def test_changed_inputs_are_read_or_refused(name: str, tmp_path: Path) -> None:
    rng, seeds = random.Random(7), [path.read_bytes() for path in sorted((DRIVER["CORPUS"] / name).iterdir())]
    for _ in range(60):
        DRIVER["check"](DRIVER["READERS"][name], DRIVER["changed"](rng.choice(seeds), seeds, rng), tmp_path)


def test_the_seeds_of_each_reader_reach_it(tmp_path: Path) -> None:
    """At least one input of each corpus is no error, so that the fuzzer starts behind the first check."""
    for name, reader in DRIVER["READERS"].items():
        outcomes = []
        for path in sorted((DRIVER["CORPUS"] / name).iterdir()):
            try:
                reader(path.read_bytes(), tmp_path)
                outcomes.append(True)
            except (ValueError, OSError):
                outcomes.append(False)
        assert any(outcomes), name


def test_every_reader_has_a_corpus_and_all_is_small() -> None:
    assert {path.name for path in DRIVER["CORPUS"].iterdir()} == set(DRIVER["READERS"])
    assert sum(path.stat().st_size for path in (FUZZ / "corpus").rglob("*") if path.is_file()) < 500_000


def test_the_reader_that_does_not_exist_is_refused_by_name() -> None:
    command = [sys.executable, str(FUZZ / "readers.py"), "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no reader is called nothing" in done.stderr


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "cargo" else f"/usr/bin/{name}")
    assert "'cargo' was not found" in RUN["missing"]()
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/cargo" if name == "cargo" else None)
    assert "no C++ compiler" in RUN["missing"]()
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert RUN["missing"]() is None


def test_the_ledger_adds_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- executions -->\nold\n<!-- /executions -->\nbehind\n")
    monkeypatch.setattr(ledger, "LEDGER", tmp_path / "executions.json")
    monkeypatch.setattr(ledger, "PAGE", page)
    for target, way, executions in (("xz", "address", 1000), ("bed", "plain", 7), ("xz", "address", 34)):
        ledger.add(target, way, executions)
    told = page.read_text()
    assert told.startswith("before\n<!-- executions -->\n\n| target")
    assert "| `bed` |  | 7 |  | 7 |\n| `xz` | 1,034 |  |  | 1,034 |\n| all | 1,034 | 7 |  | 1,041 |" in told
    assert told.endswith("|\n\n<!-- /executions -->\nbehind\n")


def test_the_page_has_the_table_of_the_ledger() -> None:
    assert ledger.table(ledger.read()) in ledger.PAGE.read_text()
    assert set(ledger.read()) <= {*RUN["names"](), *(f"reader {name}" for name in DRIVER["READERS"])}


def test_dictionaries_are_those_of_targets() -> None:
    names = set(RUN["names"]())
    assert {path.stem for path in (FUZZ / "dictionaries").iterdir()} <= names
    assert set(RUN["MAX_LEN"]) <= names
