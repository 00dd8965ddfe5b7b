"""What the machine is and what this process took of it; the circumstances of a record."""

import os
import platform
import resource
import shlex
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from genotok import __version__

__all__ = ["circumstances", "cores", "description", "peak_memory", "processor", "total_memory"]


def peak_memory() -> int:
    """The most memory this process has held, in bytes.

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


def cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def total_memory() -> int:
    """The memory of the machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def description() -> str:
    """The system and its processor, in words."""
    return f"{platform.system()} {platform.release()}, {platform.machine()}"


def processor() -> str:
    """The processor's name for itself, or its kind."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def circumstances(now: datetime, *packages: str) -> dict[str, object]:
    """When, on what, with what (these packages besides) and by which command something was measured."""
    return {
        "date": f"{now:%Y-%m-%d}",
        "machine": {
            "cpu": processor(),
            "cores": cores(),
            "memory_bytes": total_memory(),
            "system": f"{platform.system()} {platform.release()}",
        },
        "software": {
            "genotok": __version__,
            **{name: version(name) for name in ("numpy", *packages)},
            "python": platform.python_version(),
        },
        "command": shlex.join(["genotok", *(_without_folder(argument) for argument in sys.argv[1:])]),
    }


def _without_folder(argument: str) -> str:
    """An argument as a record may show it: a path from the root by its last name only."""
    name, equals, path = argument.rpartition("=")
    return f"{name}{equals}{os.path.basename(path.rstrip('/'))}" if os.path.isabs(path) else argument
