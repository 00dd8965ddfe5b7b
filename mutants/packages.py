"""`make mutants`, second part: mutants of Python packages, made and tried by mutmut.

Each package has a copy of the project below `build/mutants`, with its sources in `src`, where mutmut looks
for them. mutmut runs the chosen tests once, notes which functions each calls, and tries each mutant of the
sample in a fork, with the tests that call its function. What is computed once in a process, before the fork,
no test sees changed: survivors are tried again by these tests in a process of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mutants.copies import KEPT, ROOT, copy_project
from mutants.sample import HEAD, drawn, row

if TYPE_CHECKING:
    from pathlib import Path

TESTS = {
    "gue": ("gue", "gue_fetch", "labels", "loci", "clean", "tasks"),
    "dataset": (
        *("dataset", "dataset_rows", "shards", "bed_output", "parts", "parquet_writer", "arrow_writer"),
        *("bed", "golden", "identity", "no_automaton"),
    ),
    "finetune": ("finetune", "finetune_strands", "predict", "new_encoders", "tasks"),
}
"""The tests of each package."""

IN_PROCESS = "not (without_pandas or killed_run or altered_bytes or new_process or substitution or in_a_line)"
"""Tests that start Python would fail in mutmut's first run: what it inserts works in its process only."""

SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/genotok/{package}/*"]
also_copy = ["conftest.py", "genomes", "docs", "README.md", "ARCHITECTURE.md", "Cargo.toml"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-k", "{in_process}"]
"""


def copied(package: str) -> Path:
    """A copy of the project for a package, with settings for mutmut."""

    def place(name: str) -> str | None:
        if name.startswith("mutants/"):
            return None  # mutmut works in a folder of this name, which must not be this package
        return "src" + name.removeprefix("python") if name.startswith("python/") else name

    tree = KEPT / package
    native = (str(path.relative_to(ROOT)) for path in (ROOT / "python" / "genotok").glob("_native*"))
    copy_project(tree, place, native)
    tests = [f"tests/test_{name}.py" for name in TESTS[package]]
    with (tree / "pyproject.toml").open("a") as file:
        file.write(SETTINGS.format(package=package, tests=json.dumps(tests), in_process=IN_PROCESS))
    return tree


def mutmut(tree: Path, *arguments: str) -> str:
    """The output of a command of mutmut, on one thread of torch."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(tree / "mutants" / "src")}
    code = "import sys; from mutmut.__main__ import cli; sys.argv[0] = 'mutmut'; cli()"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def results(tree: Path, package: str) -> dict[str, int | None]:
    """The exit code of the tests under each mutant; None: not tried; 33: no test calls its function."""
    found: dict[str, int | None] = {}
    for path in sorted((tree / "mutants" / "src" / "genotok" / package).glob("*.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def survives_alone(tree: Path, name: str) -> bool:
    """Whether a mutant survives the tests that call its function in a process of their own."""
    stats = json.loads((tree / "mutants" / "mutmut-stats.json").read_text())
    tests = stats["tests_by_mangled_function_name"].get(name.rpartition("__mutmut_")[0], [])
    if not tests:
        return True
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(tree / "mutants" / "src"),
        "MUTANT_UNDER_TEST": name,
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(command, cwd=tree / "mutants", env=environment, capture_output=True, check=False)
    return done.returncode == 0


def tried(package: str, number: int) -> str:
    """Try a sample of a package's mutants: a row of the table. Survivors are printed."""
    tree = copied(package)
    said = mutmut(tree, "run", "--max-children", "1", f"genotok.{package}.none")  # makes the mutants
    names = drawn(sorted(results(tree, package)), number, package)
    if not names:
        sys.exit(f"{package}: mutmut made no mutants:\n{said[-2000:]}")
    said = mutmut(tree, "run", "--max-children", "1", *names)
    found = results(tree, package)
    counts: Counter[str] = Counter()
    for name in names:
        code = found[name]
        if code is None:
            sys.exit(f"{package}: mutmut did not try {name}:\n{said[-2000:]}")
        survived = code in (0, 33) and survives_alone(tree, name)
        counts["survived" if survived else "killed" if code in (0, 1, 3, 33) else "time"] += 1
        if survived:
            print(mutmut(tree, "show", name), flush=True)
    return row(package, len(found), counts)


def main() -> None:
    """Try a sample of each package and print the table."""
    parser = argparse.ArgumentParser(description="Try mutants of Python packages.")
    parser.add_argument("--number", type=int, default=40, help="mutants of each package; 0: all")
    number = parser.parse_args().number
    if find_spec("mutmut") is None:
        sys.exit(
            "mutants of packages cannot be tried here: mutmut was not found: .venv/bin/pip install mutmut"
        )
    rows = [tried(package, number) for package in TESTS]
    print(HEAD, *rows, sep="\n")


if __name__ == "__main__":
    main()
