"""Which functions take the CPU time of a child, by perf where it works."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.ingest.worker import Worker

RUNS = 3
FREQUENCY = 997
"""Samples per second; a prime, so that they do not fall in step with anything."""
SHOWN = 10
LINE = re.compile(r"^\s*(\d+\.\d+)%\s+(\S+)\s+\[[.k]\]\s+(.+?)(\s+-)*\s*$")


def hottest(worker: Worker) -> list[dict[str, Any]] | str:
    """The functions with the most samples over some runs: share of all samples, library, name.

    Returns:
        A reason instead, where perf is missing or may not measure.
    """
    if shutil.which("perf") is None:
        return "perf is not installed"
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "perf.data")
        command = ["perf", "record", "-q", "-F", str(FREQUENCY), "-o", data, "-p", str(worker.process_id)]
        recorder = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(0.3)  # until it has attached
        for _ in range(RUNS):
            worker.ask()
        recorder.send_signal(signal.SIGINT)
        _, said = recorder.communicate()
        report = ["perf", "report", "--stdio", "-F", "overhead,dso,symbol", "-i", data]
        done = subprocess.run(report, capture_output=True, text=True, check=False)
    return summed(done.stdout) or f"perf could not measure: {said.strip()[:200]}"


def summed(report: str) -> list[dict[str, Any]]:
    """The functions of a report by perf, those without a name in one line for each library."""
    shares: Counter[tuple[str, str]] = Counter()
    for line in report.splitlines():
        if found := LINE.match(line):
            share, library, name = found.group(1, 2, 3)
            shares[library, _plain(name)] += round(float(share) * 100)
    return [
        {"share": share / 10_000, "library": library, "function": name}
        for (library, name), share in shares.most_common(SHOWN)
    ]


def _plain(name: str) -> str:
    """The name of a Rust function without its hash; of a library without symbols there are addresses only."""
    if name.startswith("0x"):
        return "without symbols"
    return re.sub(r"::h[0-9a-f]{16}$", "", name)[:120]
