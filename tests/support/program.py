"""The program `genotok` in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

GENOMES = Path(__file__).resolve().parents[2] / "genomes"
LAMBDA = str(GENOMES / "lambda_phage.fa")
YEAST = str(GENOMES / "yeast_chrI.fa")
PROGRAM = [sys.executable, "-m", "genotok"]


# As in a terminal of a fixed width, without colours, whatever the machine that runs the tests has set.
ENVIRONMENT = {
    key: value
    for key, value in os.environ.items()
    if key not in {"FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS"}
} | {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "xterm-256color"}


Done = subprocess.CompletedProcess[str]


def run(*arguments: str, folder: Path, stdin: str = "") -> Done:
    """The program with these arguments in `folder`."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=ENVIRONMENT,
    )


def fails(done: Done, *parts: str) -> None:
    """It ended as an error of the user: exit 1, and one line on standard error that holds `parts`."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert done.stderr.startswith("genotok: error: ")
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("\n")
    for part in parts:
        assert part in done.stderr


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
