"""`pytest --benchmark`: chosen by its option alone, equal output before time, records only of whole runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks import measure, results, table, train
from benchmarks.child import ENCODERS, Child
from benchmarks.encoders import Job
from benchmarks.engines import Corpus
from benchmarks.kmers import NUMPY
from benchmarks.results import Case, Ledger
from benchmarks.studies import bench as bench_module
from benchmarks.studies.bench import Bench, in_common, rounds_for, seconds_in_children
from benchmarks.studies.points import EVERYTHING, points

from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import BenchmarkRecord

ROOT = Path(__file__).resolve().parent.parent
CASE = Case("Encoding by size", "1 Mb", 1_000_000, "Much.")


def pytest_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest in a process of its own, in the repository."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    # Inside a worker of pytest-xdist, pytest-benchmark would measure nothing.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_XDIST_")}
    environment["COLUMNS"] = "100"
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=250
    )


# -- the option ---------------------------------------------------------------------------------------


def test_plain_pytest_does_not_know_the_studies() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["pytest"]["ini_options"]["testpaths"] == ["tests"]
    done = pytest_run("--collect-only", "-q", "benchmarks")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout + done.stderr


def test_the_option_puts_the_studies_in_the_place_of_the_tests() -> None:
    done = pytest_run("--benchmark", "--collect-only", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    named = [line for line in done.stdout.splitlines() if "::" in line]
    assert len(named) > 50
    assert all(line.startswith("benchmarks/studies/test_") for line in named)
    large = pytest_run("--benchmark", "--benchmark-scale=large", "--collect-only", "-q").stdout
    assert len([line for line in large.splitlines() if "::" in line]) > len(named)


def test_without_pytest_benchmark_only_the_studies_are_missing() -> None:
    done = pytest_run("-p", "no:benchmark", "--collect-only", "-q", "tests/test_errors.py")
    assert done.returncode == 0, done.stdout + done.stderr
    done = pytest_run("-p", "no:benchmark", "--benchmark")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--benchmark needs pytest-benchmark: pip install 'genotok[bench]'" in done.stderr


def test_a_part_runs_prints_its_table_and_can_be_compared(tmp_path: Path) -> None:
    part = ["--benchmark", "-k", "by_k and 3 and not biopython", "--benchmark-scale", "smoke"]
    folders = [f"--benchmark-storage={tmp_path / 'runs'}", f"--benchmark-records={tmp_path / 'records'}"]
    first = pytest_run(*part, *folders, "--benchmark-compare")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Can't compare" in first.stderr
    for said in (
        "Overlapping k-mers by k",
        "NumPy",
        "plain Python",
        "k = 3",
        "are made outside the timing",
        "No record",
    ):
        assert said in " ".join(first.stdout.split())
    assert not (tmp_path / "records").exists()
    (saved,) = (tmp_path / "runs").rglob("*.json")
    kept = json.loads(saved.read_text())
    assert kept["machine_info"].keys() == {"cpu", "cpu_cores", "memory_bytes", "system"}
    assert {one["group"] for one in kept["benchmarks"]} == {"Overlapping k-mers by k, k = 3"}
    assert {one["options"]["timer"] for one in kept["benchmarks"]} == {"seconds_in_children"}
    assert all(one["stats"]["min"] > 0 and one["extra_info"]["bases"] for one in kept["benchmarks"])
    second = pytest_run(*part, *folders, "--benchmark-compare")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "(NOW)" in second.stdout
    assert "(0001_" in second.stdout


# -- points -------------------------------------------------------------------------------------------


def test_points_beyond_a_tools_reach_are_marked_or_not_there() -> None:
    made = points([1, 4, 64], {"genotok": EVERYTHING, "Slow Tool": (1, 4)})
    assert [point.id for point in made] == [
        "1-genotok",
        "1-slow-tool",
        "4-genotok",
        "4-slow-tool",
        "64-genotok",
    ]
    assert [bool(point.marks) for point in made] == [False, False, False, True, False]
    assert points({"whole": 9}, {"a": (8, 9)})[0].values == ("whole", "a")


@pytest.mark.parametrize(("seconds", "rounds"), [(0.0, 7), (0.1, 7), (1.0, 3), (2.0, 1), (60.0, 1)])
def test_rounds_fit_the_budget(seconds: float, rounds: int) -> None:
    assert rounds_for(seconds) == rounds


# -- a point ------------------------------------------------------------------------------------------


class Rounds:
    """pytest-benchmark's fixture as far as a study uses it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.group = ""
        self.extra_info: dict[str, Any] = {}

    def pedantic(self, run: Any, rounds: int) -> None:
        for _ in range(rounds):
            start = seconds_in_children()
            run()
            self.seconds.append(seconds_in_children() - start)


def child_that_gives(digests: dict[str, list[str]]) -> type:
    """A child whose runs take a second and give these digests in turn, the last one for ever."""

    class Given(Child):
        def __init__(self, job: Job) -> None:
            self.left = list(digests[job.engine])

        def run(self) -> dict[str, Any]:
            digest = self.left.pop(0) if len(self.left) > 1 else self.left[0]
            return {"seconds": 1.0, "tokens": 5, "ids_sha256": digest, "peak_bytes": 1_000_000}

        def __exit__(self, *_: object) -> None: ...

    return Given


def test_a_point_is_timed_by_the_childs_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bench_module, "Child", child_that_gives({train.OURS: ["a"], train.RIVAL: ["a"]}))
    rounds, ledger = Rounds(), Ledger()
    Bench(rounds, ledger, tmp_path).encode(CASE, Job(train.RIVAL, "sequences", "", ""))
    assert rounds.seconds == [1.0, 1.0, 1.0]
    (result,) = ledger.results[CASE]
    assert result["runs"] == [1.0, 1.0, 1.0]
    assert result["same"] == "equal"
    assert rounds.extra_info["megabases_per_second"] == 1.0


@pytest.mark.parametrize("theirs", [["b"], ["a", "a", "b"]])
def test_other_ids_are_a_failure_and_never_recorded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, theirs: list[str]
) -> None:
    monkeypatch.setattr(bench_module, "Child", child_that_gives({train.OURS: ["a"], train.RIVAL: theirs}))
    ledger = Ledger()
    with pytest.raises(AssertionError, match="other ids"):
        Bench(Rounds(), ledger, tmp_path).encode(CASE, Job(train.RIVAL, "sequences", "", ""))
    assert not ledger.results


def test_other_merges_are_a_failure_and_other_rules_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def trained(engine: str, *given: Any) -> measure.Run:
        given[-1].write_text("AC\nGT" if engine == train.OURS else "AC\nTT\nACAC")
        return measure.Run(2, engine, 2.0, 2.2, 3.8, 0.1, 250_000_000)

    monkeypatch.setattr(measure, "train", trained)
    corpus, ledger = Corpus(("missing.fa",), None), Ledger()
    with pytest.raises(AssertionError, match="other merges"):
        Bench(Rounds(), ledger, tmp_path).train(CASE, corpus, 20, (train.RIVAL, 1))
    assert not ledger.results
    Bench(Rounds(), ledger, tmp_path).train(CASE, corpus, 20, ("SentencePiece bpe", 1))
    (result,) = ledger.results[CASE]
    assert result["same"] == "a vocabulary of its own, 1 of 3 tokens genotok's too"
    assert result["runs"] == [2.0]  # the run that was compared is the first round


def test_a_missing_tool_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ENCODERS[NUMPY], "module", "no_such_package")
    ledger = Ledger()
    with pytest.raises(pytest.skip.Exception, match="NumPy: the package numpy is not installed"):
        Bench(Rounds(), ledger, tmp_path).encode(CASE, Job(NUMPY, "kmers", "", ""))
    assert ledger.missing == {NUMPY: "the package numpy is not installed"}


def test_tokens_in_common_are_counted() -> None:
    assert "2 of 3 tokens" in in_common(["AC", "GT", "TT"], frozenset({"AC", "GT", "AA"}))


# -- the record and its tables ------------------------------------------------------------------------


def result_of(engine: str, seconds: float, same: str = "equal") -> dict[str, Any]:
    """Figures as a study keeps them."""
    return {
        "engine": engine,
        "threads": 1,
        "version": "1.0",
        "timed": "all",
        "same": same,
        "median_seconds": seconds,
        "best_seconds": seconds,
        "peak_bytes": 25_000_000,
        "runs": [seconds],
    }


def filled() -> Ledger:
    """A ledger of two cases."""
    ledger = Ledger(missing={"tiktoken": "the package tiktoken is not installed"})
    ledger.add(CASE, result_of(train.RIVAL, 0.5))
    ledger.add(CASE, result_of(train.OURS, 0.005))
    other = Case("Training by size", "4 Mb", 4_000_000, "Little.")
    ledger.add(other, result_of(train.OURS, 1.0))
    ledger.add(other, result_of("SentencePiece bpe", 0.8, same="a vocabulary of its own"))
    return ledger


def studies_plugin(records: Path | None, scale: str = "small", *, narrowed: bool = False) -> Any:
    """The plugin on a configuration that is not pytest's."""
    pytest.importorskip("pytest_benchmark")
    from benchmarks.plugin import Studies  # noqa: PLC0415  it is only there for the studies

    sources = SimpleNamespace(ARGS="args", TESTPATHS="testpaths")
    given = {"benchmark_scale": scale, "benchmark_records": records}
    config = SimpleNamespace(
        ArgsSource=sources,
        args_source=sources.ARGS if narrowed else sources.TESTPATHS,
        args=["tests"],
        option=SimpleNamespace(),
        getoption=given.get,
    )
    plugin = Studies(config, ROOT / "benchmarks" / "studies")  # type: ignore[arg-type]
    plugin.ledger = filled()
    return plugin


def test_a_whole_run_writes_its_record(tmp_path: Path) -> None:
    studies_plugin(tmp_path).pytest_sessionfinish(0)
    (path,) = tmp_path.rglob("*.json")
    record = json.loads(path.read_text())
    assert path.name == f"{record['provenance']['date']}-pytest.json"
    assert record["missing"] == {"tiktoken": "the package tiktoken is not installed"}
    assert record["load_before"] >= 0
    assert record["provenance"]["machine"].keys() == {"cpu", "cpu_cores", "memory_bytes", "system"}
    assert [case["title"] for case in record["cases"]] == ["1 Mb", "4 Mb"]
    assert table.newest(tmp_path, ("pytest",)) == record
    assert "| 1 Mb | 200 (25 MB) |" in results.markdown(BenchmarkRecord.from_json(record))


@pytest.mark.parametrize(("narrowed", "status"), [(True, 0), (False, 1)])
def test_a_part_or_a_failed_run_writes_none(tmp_path: Path, *, narrowed: bool, status: int) -> None:
    studies_plugin(tmp_path, narrowed=narrowed).pytest_sessionfinish(status)
    assert not list(tmp_path.rglob("*.json"))


def test_markdown_says_speed_multiple_memory_and_caveats() -> None:
    machine = {"cpu": "CPU", "cpu_cores": 2, "memory_bytes": 2**34}
    record = BenchmarkRecord(
        kind="pytest",
        provenance=Provenance("2026-11-01", machine, {"python": "3.11"}),
        cases=filled().cases(),
        more={"load_before": 0.1, "missing": {"tiktoken": "not installed"}},
    )
    text = results.markdown(record)
    assert "| 1 Mb | 200 (25 MB) | 2.00 (100×, 25 MB) |" in text
    assert "| 4 Mb | 4.00 (25 MB) | 5.00 (0.8×, 25 MB) |" in text
    assert "Much." in text
    assert "SentencePiece bpe, 4 Mb: a vocabulary of its own." in text
    assert "tiktoken is missing: not installed." in text


@pytest.mark.parametrize("document", table.documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_documents_say_what_the_records_say(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert table.renewed(text) == text, "run `make tables`"


def test_each_table_has_one_place() -> None:
    text = "".join(document.read_text(encoding="utf-8") for document in table.documents())
    assert sorted(re.findall(r"<!-- table:(.+) -->", text)) == sorted(table.TABLES)


def test_tables_are_renewed_where_there_is_a_record(tmp_path: Path) -> None:
    places = "<!-- table:{0} -->\nnone yet\n<!-- /table:{0} -->\n"
    text = places.format("pytest") + places.format("train")
    assert table.renewed(text, tmp_path) == text
    studies_plugin(tmp_path).pytest_sessionfinish(0)
    once = table.renewed(text, tmp_path)
    assert "| 1 Mb | 200 (25 MB) | 2.00 (100×, 25 MB) |" in once
    assert once.count("none yet") == 1
    assert table.renewed(once, tmp_path) == once
