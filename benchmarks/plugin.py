"""What `pytest --benchmark` adds to pytest: which studies run, the tables at the end, and the record.

Two files are written. pytest-benchmark keeps each run with all its statistics under `.benchmarks/`, which is
what `--benchmark-compare` compares with; it is not committed. The record, `<machine>/<date>-pytest.json` in
`benchmarks/record`, is what the documentation's tables are made of. Only a whole run makes a record: one that
was narrowed by `-k` or a path, or in which a tool's output was wrong, does not.
"""

from __future__ import annotations

import io
import os
import shutil
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from pytest_benchmark.logger import PytestBenchmarkWarning
from rich.console import Console

from benchmarks import machine, results
from benchmarks.train import RECORDS, write_record
from genotok.run_records.machine import cpu_cores, cpu_name
from genotok.run_records.machine import machine as described

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

QUIET_LOAD = 0.25
"""Processes per core before the studies, above which the figures are not to be trusted."""
LARGE_TIMEOUT_SECONDS = 3600
"""For a point at the large scale: pytest's own setting suits tests."""


class Studies:
    """The plugin, registered only if the studies are asked for.

    Attributes:
        ledger: What was measured.
    """

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self.ledger = results.Ledger()
        self._scale: str = config.getoption("benchmark_scale")
        self._folder: Path | None = config.getoption("benchmark_records")
        if self._folder is None and self._scale != "smoke":
            self._folder = RECORDS
        self._load_before = machine.load()
        self._narrowed = config.args_source == config.ArgsSource.ARGS
        self._beyond: set[pytest.Item] = set()
        self._written: Path | None = None
        if not self._narrowed:
            config.args = [str(folder)]
        config.args_source = config.ArgsSource.ARGS  # or the header would name the folder of the tests
        # Nothing measured, no earlier run to compare with, or one on another machine: that is no failure.
        warnings.filterwarnings("default", category=PytestBenchmarkWarning)
        compares = config.getoption("benchmark_compare") or config.getoption("benchmark_verbose")
        config.option.benchmark_autosave = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        config.option.benchmark_quiet = not compares  # its table of all points; ours is shorter
        if self._scale == "large" and config.getoption("timeout", None) is None:
            config.option.timeout = LARGE_TIMEOUT_SECONDS
        # Each tool holds itself to its threads; what the studies themselves do takes no part.
        os.environ.pop("RAYON_NUM_THREADS", None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what is too large for the scale."""
        if self._scale == "large":
            return
        self._beyond = {item for item in items if item.get_closest_marker("beyond_small")}
        items[:] = [item for item in items if item not in self._beyond]
        config.hook.pytest_deselected(items=list(self._beyond))

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Note whether anything else was left out."""
        self._narrowed |= not self._beyond.issuperset(items)

    def pytest_benchmark_update_machine_info(self, machine_info: dict[str, Any]) -> None:
        """Say of the machine what our records say, which is not its name."""
        machine_info.clear()
        machine_info.update(described())

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the record of a whole run in which all went well."""
        if exitstatus == pytest.ExitCode.OK and not self._narrowed and self._folder and self.ledger.results:
            self._written = self.record(self._folder)

    def record(self, folder: Path) -> Path:
        """Write what was measured into a folder of records."""
        kind = "pytest" if self._scale == "small" else f"pytest-{self._scale}"
        more = {"load_before": self._load_before, "scale": self._scale, "missing": self.ledger.missing}
        return write_record(self.ledger.cases(), cpu_cores(), kind, folder, **more)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the tables, and where the record is."""
        if not self.ledger.results:
            return
        terminalreporter.section("speed studies")
        console = Console(
            file=io.StringIO(),
            force_terminal=terminalreporter.hasmarkup,
            width=max(80, shutil.get_terminal_size().columns),
            highlight=False,
        )
        for part in results.rendered(self.ledger.cases()):
            console.print(part)
        console.print(
            "Million bases per second by the median run; below, the time as a multiple of genotok's, and "
            f"peak memory. {cpu_name()}, {cpu_cores()} cores, load {self._load_before} before."
        )
        for line in self._remarks():
            console.print(line, style="yellow", markup=False)
        assert isinstance(console.file, io.StringIO)
        terminalreporter.write(console.file.getvalue())

    def _remarks(self) -> list[str]:
        """What to know about the run."""
        remarks = [f"{engine} is left out: {reason}" for engine, reason in self.ledger.missing.items()]
        if self._load_before > QUIET_LOAD * cpu_cores():
            remarks.append("The machine was not quiet: do not trust or publish these figures.")
        if self._scale == "smoke":
            remarks.append("Smoke scale: a hundredth of the input, the figures mean nothing.")
        if self._written:
            remarks.append(f"record: {os.path.relpath(self._written)}")
        elif self._narrowed:
            remarks.append("No record: only a run of all studies makes one.")
        return remarks
