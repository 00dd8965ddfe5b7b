"""The program `genotok` in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from genotok.cli import commands

GENOMES = Path(__file__).resolve().parents[2] / "genomes"
LAMBDA = str(GENOMES / "lambda_phage.fa")
YEAST = str(GENOMES / "yeast_chrI.fa")
PROGRAM = [sys.executable, "-m", "genotok"]

IMPORTS = ["pyarrow.parquet", "torch", "transformers", "genotok.model.huggingface"]
IMPORTS += [f"genotok.cli.commands.{file.stem}" for file in Path(commands.__file__).parent.glob("[a-z]*.py")]
"""What a process imports so that commands of torch start in milliseconds in those that it forks."""


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


def open_streams() -> None:
    """Python's streams anew, on the descriptors of a process that was forked."""
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
