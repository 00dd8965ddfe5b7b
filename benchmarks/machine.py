"""Where and with what a figure was measured. Nothing here names the computer or its user."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def describe() -> dict[str, str | int]:
    """The processor, its cores, the memory and the system."""
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
    }


def software() -> dict[str, str]:
    """The versions of what is not an engine, and the commit; `unknown` where a tool is missing."""
    changed = _output("git", "status", "--porcelain", "--untracked-files=no") not in {"", "unknown"}
    return {
        "python": platform.python_version(),
        "rustc": _output("rustc", "--version"),
        "commit": _output("git", "rev-parse", "--short=12", "HEAD") + (" and changes" if changed else ""),
    }


def load() -> float:
    """How many processes wanted a core in the last minute: near 0 on a quiet machine."""
    return round(os.getloadavg()[0], 2)


def slug() -> str:
    """The machine as the name of a folder: processor model and number of cores."""
    words = re.sub(r"\(R\)|\(TM\)|CPU|Processor|@.*|\d+-Core", " ", cpu_model(), flags=re.IGNORECASE)
    return re.sub(r"[^a-z0-9]+", "-", f"{words} {cores()} cores".lower()).strip("-")


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_model() -> str:
    """The processor's name for itself."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", information.read_text(errors="replace"), re.MULTILINE)
        if found:
            return found[1].strip()
    model = _output("sysctl", "-n", "machdep.cpu.brand_string")
    return platform.machine() if model == "unknown" else model


def _output(*command: str) -> str:
    """What a command prints, or `unknown`."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()
