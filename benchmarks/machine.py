"""Where and with what a benchmark ran: what a record's provenance has, and what only benchmarks need."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from genotok.run_records.machine import cpu_cores, cpu_name
from genotok.run_records.provenance import Provenance

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parent.parent


def provenance(packages: Iterable[str] = ()) -> Provenance:
    """Where a record comes from, with the versions of rustc and these packages, and the commit."""
    made = Provenance.now(packages)
    changed = _output("git", "status", "--porcelain", "--untracked-files=no") not in {"", "unknown"}
    commit = _output("git", "rev-parse", "--short=12", "HEAD") + (" and changes" if changed else "")
    software = {**made.software, "rustc": _output("rustc", "--version"), "commit": commit}
    return replace(made, software=software, command=_command())


def load() -> float:
    """How many processes wanted a core in the last minute: near 0 on a quiet machine."""
    return round(os.getloadavg()[0], 2)


def slug() -> str:
    """The machine as the name of a folder: CPU and number of cores."""
    words = re.sub(r"\(R\)|\(TM\)|CPU|Processor|@.*|\d+-Core", " ", cpu_name(), flags=re.IGNORECASE)
    return re.sub(r"[^a-z0-9]+", "-", f"{words} {cpu_cores()} cores".lower()).strip("-")


def described(made: Provenance) -> str:
    """The machine of a record in words, such as `AMD EPYC, 2 cores, 24 GiB`."""
    machine = made.machine
    return f"{machine['cpu']}, {machine['cpu_cores']} cores, {machine['memory_bytes'] / 2**30:.0f} GiB"


def _command() -> str:
    """The command line of the benchmark, files by their last names."""
    script = Path(sys.argv[0])
    name = script.parent.name if script.stem == "__main__" else script.stem
    known = ROOT / "benchmarks" / name
    is_known = known.with_suffix(".py").exists() or (known / "__main__.py").exists()
    program = f"python -m benchmarks.{name}" if is_known else name
    return " ".join([program, shlex.join(os.path.basename(one.rstrip("/")) for one in sys.argv[1:])]).strip()


def _output(*command: str) -> str:
    """What a command prints, or `unknown`."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()
