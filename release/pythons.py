"""The Pythons of this machine that genotok supports, and clean environments to try it in."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST, NEWEST = 11, 19  # minor versions of Python 3, up to some that do not exist yet


def pythons() -> dict[str, Path]:
    """An interpreter of each minor version on the PATH, in pyenv or in uv, oldest first.

    One that does not start, or that cannot make virtual environments, is left out.
    """
    found: dict[str, Path] = {}
    for version, path in candidates():
        if version not in found and answers(path, version):
            found[version] = path
    return found


def candidates() -> Iterator[tuple[str, Path]]:
    """Version and path of what may be an interpreter, by version."""
    managers = output("pyenv", "root"), output("uv", "python", "dir")
    for minor in range(OLDEST, NEWEST + 1):
        version = f"3.{minor}"
        for folder in filter(None, managers):
            yield from ((version, path) for path in sorted(Path(folder).glob(f"**/bin/python{version}")))
        for folder in os.get_exec_path():
            if (path := Path(folder) / f"python{version}").is_file():
                yield version, path


def answers(path: Path, version: str) -> bool:
    """Whether an interpreter starts, is of this version, and can make virtual environments."""
    ask = "import ensurepip, sys, venv; print('.'.join(map(str, sys.version_info[:2])))"
    return output(str(path), "-c", ask) == version


def output(*command: str) -> str:
    """What a command prints; empty if it is missing or fails."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def new_environment(python: Path, folder: Path) -> Path:
    """A new virtual environment; returns its interpreter."""
    subprocess.run([str(python), "-m", "venv", str(folder)], check=True, env=variables())
    return folder / "bin" / "python"


def variables(*, without_rust: bool = False) -> dict[str, str]:
    """The variables of this process without its Python environment and, on request, without Rust."""
    dropped = ("PYTHON", "VIRTUAL_ENV", "PYO3_", "CONDA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    if without_rust:
        kept["PATH"] = os.pathsep.join(folder for folder in os.get_exec_path() if not has_rust(Path(folder)))
    return kept


def has_rust(folder: Path) -> bool:
    """Whether a folder of the PATH holds a part of a Rust toolchain."""
    return any((folder / name).exists() for name in ("cargo", "rustc", "rustup"))
