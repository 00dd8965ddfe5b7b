"""The machine and what this process took of it. Nothing here names the computer or its user."""

from __future__ import annotations

import os
import platform
import resource
import sys
from pathlib import Path

__all__ = ["cpu_cores", "cpu_name", "description", "machine", "peak_memory", "total_memory"]


def peak_memory() -> int:
    """The peak memory of this process, in bytes.

    Linux's own figure for this program is preferred: `getrusage` also counts what the process held before it
    became this program, as a copy of the one that started it.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def cpu_cores() -> int:
    """The number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def total_memory() -> int:
    """The memory of the machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def description() -> str:
    """The system and its architecture, such as `Linux 6.1, x86_64`."""
    return f"{_system()}, {platform.machine()}"


def cpu_name() -> str:
    """The model name of the CPU, or its architecture if the system does not tell."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def machine() -> dict[str, str | int]:
    """CPU, cores, memory and system, as a record has them."""
    return {
        "cpu": cpu_name(),
        "cpu_cores": cpu_cores(),
        "memory_bytes": total_memory(),
        "system": _system(),
    }


def _system() -> str:
    return f"{platform.system()} {platform.release()}"
