"""Which lines and branches the tests reach: `make coverage`, which writes docs/contributing/coverage.md.

    python -m tests.support.reached rust     # cargo-llvm-cov; branches are a nightly option of the compiler
    python -m tests.support.reached python   # coverage.py, in the processes that tests start as well

A tool that is missing is said in one line, with the command that installs it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.marked import write_marked

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "contributing" / "coverage.md"
# What is compiled for tests alone.
UNCOUNTED = ("rust/src/testing",)
# What pytest ends with.
TESTS_FAILED = 1
SETTINGS = """\
[run]
branch = true
parallel = true
patch = subprocess, _exit
source_pkgs = genotok
data_file = {folder}/data
"""


class Reached(NamedTuple):
    """Lines and branches of a module, and how many of them are reached."""

    lines: int
    lines_reached: int
    branches: int
    branches_reached: int


Parts = dict[str, Reached]


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write the table of the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["rust", "python"])
    parser.add_argument("tests", nargs="*", help="of Python: test files; all if none is given")
    given = parser.parse_args(arguments)
    if lack := missing(given.what):
        print(f"coverage of {given.what} is not possible here: {lack}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        found = of_rust(folder) if given.what == "rust" else of_python(folder, given.tests)
    if not given.tests:
        write(given.what, found)
    print(table(found))
    return 0


def missing(what: str) -> str | None:
    """What measuring needs and is not there."""
    if what == "rust" and shutil.which("cargo-llvm-cov") is None:
        return "'cargo-llvm-cov' was not found: cargo install cargo-llvm-cov"
    if what == "python" and find_spec("coverage") is None:
        return "coverage.py was not found: .venv/bin/pip install 'coverage>=7.10'"
    return None


def of_rust(folder: str) -> Parts:
    """The modules of the core."""
    out = Path(folder, "coverage.lcov")
    command = ["cargo", "llvm-cov", "--package", "genotok-core", "--all-features", "--locked", "--branch"]
    command += ["--lib", "--tests", "--lcov", "--output-path", str(out)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"RUSTC_BOOTSTRAP": "1"}, check=True)
    return rust_parts(out.read_text(encoding="utf-8"))


def rust_parts(report: str) -> Parts:
    """Sums by module of a report in the format of lcov, without the tests that are in files of the core."""
    found: Parts = {}
    for part in report.split("end_of_record"):
        facts = [(key, value) for key, _, value in (line.partition(":") for line in part.splitlines())]
        name = next((Path(value) for key, value in facts if key == "SF"), ROOT)
        place = name.relative_to(ROOT).as_posix() if name.is_relative_to(ROOT) else ""
        if place.startswith("rust/src/") and not place.startswith(UNCOUNTED):
            last = lines_of_code(name.read_text(encoding="utf-8"))
            lines, branches = (counted(facts, kind, last) for kind in ("DA", "BRDA"))
            add(found, Path(place.split("/")[2]).stem, Reached(*lines, *branches))
    return found


def counted(facts: list[tuple[str, str]], kind: str, last: int) -> tuple[int, int]:
    """The facts of a kind up to the line `last`, each `LINE,...,TIMES`, and how many of them were reached."""
    rows = [value.split(",") for key, value in facts if key == kind]
    times = [row[-1] for row in rows if int(row[0]) <= last]
    return len(times), sum(one not in ("0", "-") for one in times)


def lines_of_code(source: str) -> int:
    """The lines of a source file before its module of tests, which is its last."""
    tests = re.search(r"^#\[cfg\(test\)\]\n(?:#\[.*\n)*mod tests \{", source, re.MULTILINE)
    return source[: tests.start() if tests else len(source)].count("\n")


def of_python(folder: str, tests: list[str]) -> Parts:
    """The packages of genotok; where tests fail, what they reached counts."""
    settings = Path(folder, "settings")
    settings.write_text(SETTINGS.format(folder=folder), encoding="utf-8")
    program = [sys.executable, "-m", "coverage"]
    chosen = ["--rcfile", str(settings)]
    jobs = ["-n", os.environ.get("JOBS", "2"), "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [*program, "run", *chosen, "-m", "pytest", *jobs, *tests]
    environment = os.environ | {"COVERAGE_PROCESS_START": str(settings)}
    if code := subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        if code != TESTS_FAILED:
            raise SystemExit(f"pytest ended with {code}: nothing was measured")
        print("tests failed: the figures are those of this run", file=sys.stderr)
    subprocess.run([*program, "combine", *chosen, "--quiet"], cwd=ROOT, check=True)
    out = f"{folder}/coverage.json"
    subprocess.run([*program, "json", *chosen, "--quiet", "-o", out], cwd=ROOT, check=True)
    return python_parts(json.loads(Path(out).read_text(encoding="utf-8")))


def python_parts(report: dict[str, Any]) -> Parts:
    """Sums by package of what coverage.py reports."""
    found: Parts = {}
    for name, file in report["files"].items():
        parts = Path(name).parts
        at = len(parts) - 1 - parts[::-1].index("genotok")
        one = file["summary"]
        reached = Reached(
            one["num_statements"], one["covered_lines"], one["num_branches"], one["covered_branches"]
        )
        add(found, Path(parts[at + 1]).stem, reached)
    return found


def add(found: Parts, part: str, one: Reached) -> None:
    """Adds a file to its module."""
    before = found.get(part, Reached(0, 0, 0, 0))
    found[part] = Reached(*(old + new for old, new in zip(before, one, strict=True)))


def table(found: Parts) -> str:
    """A row for each module, in the order of names, and one for all."""
    rows = sorted(found.items())
    total: Parts = {}
    for _, one in rows:
        add(total, "all", one)
    lines = ["| module | lines | reached | branches | reached |", "|---|---:|---:|---:|---:|"]
    for name, one in [*((f"`{name}`", one) for name, one in rows), *total.items()]:
        told = f"{one.lines:,} | {share(one.lines_reached, one.lines)}"
        lines.append(f"| {name} | {told} | {one.branches:,} | {share(one.branches_reached, one.branches)} |")
    return "\n".join(lines)


def share(part: int, whole: int) -> str:
    """A percentage."""
    return f"{100 * part / whole:.1f} %" if whole else ""


def write(what: str, found: Parts) -> None:
    """Write the table into the page, in place of the one before."""
    day = dt.datetime.now(tz=dt.UTC).date()
    write_marked(PAGE, what, f"{table(found)}\n\n`make coverage`, {day}.")


if __name__ == "__main__":
    sys.exit(main())
