"""Tries a mutant of the core by the tests that reach it, the fastest first.

Each test runs once alone without a mutant, and the switches that it meets write their numbers into a file.
A mutant that no test meets survives without a trial. The others are tried by batches of tests, each batch
about `GROWTH` times as long as the one before, as most mutants are killed by one of the first.

A test is one of Rust, or a whole file of Python: to start an interpreter for each test would take longer than
the tests.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mutants.switches import REACHED, VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FIRST_SECONDS, GROWTH = 0.3, 4
"""The length of the first batch, and of each next one."""
SLOWER, SPARE_SECONDS = 4, 2
"""A mutant that needs so many times the CPU time of the tests, and these seconds, is killed by time."""
WALL, WALL_SECONDS = 10, 30
"""The same of time on the clock, for one that waits for ever."""
MEMORY_BYTES = 6 << 30
"""What a test may hold: a mutant that wants more fails."""


@dataclass(frozen=True)
class Program:
    """What runs tests: their names follow the command."""

    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class Test:
    """A test of a program: what it takes without a mutant, and the mutants that it meets."""

    program: Program
    name: str
    seconds: float
    reached: frozenset[int]


def _run(
    program: Program, names: Iterable[str], added: dict[str, str], limit: float | None
) -> tuple[int | None, float]:
    """The exit code of tests, None when the clock ended them, and the CPU time of their processes."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
        if limit is not None:
            seconds = int(SLOWER * limit + SPARE_SECONDS)
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))

    fixed = {"RUST_TEST_THREADS": "1", "PROPTEST_FAILURE_PERSISTENCE": "off", "PROPTEST_RNG_SEED": "2026"}
    wall = None if limit is None else WALL * limit + WALL_SECONDS
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        code = subprocess.run(
            [*program.command, *names],
            cwd=program.folder,
            env={**os.environ, **fixed, **added},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=wall,
            preexec_fn=limited,
        ).returncode
    except subprocess.TimeoutExpired:
        return None, 0.0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def of_rust(tree: Path, paths: Iterable[str]) -> list[Test]:
    """All tests of the programs at `paths`, each run once without a mutant."""
    tests = list[Test]()
    for path in paths:
        listed = subprocess.run(
            [path, "--list", "--format=terse"], stdout=subprocess.PIPE, text=True, check=True
        )
        names = (line.removesuffix(": test") for line in listed.stdout.splitlines() if ": test" in line)
        program = Program((path, "--quiet", "--exact"), tree / "rust")
        tests += _recorded(program, names, tree.parent / "reached")
    return sorted(tests, key=lambda test: test.seconds)


def of_python(tree: Path, names: Iterable[str]) -> list[Test]:
    """Files of tests, with the package of the copy, each run once without a mutant."""
    package = ("env", f"PYTHONPATH={tree / 'python'}", sys.executable)
    program = Program((*package, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"), tree)
    files = (f"tests/test_{name}.py" for name in names)
    return sorted(_recorded(program, files, tree.parent / "reached"), key=lambda test: test.seconds)


def _recorded(program: Program, names: Iterable[str], notes: Path) -> Iterator[Test]:
    """Tests with the mutants that they meet, which they write into `notes`."""
    for name in names:
        notes.write_text("")
        code, seconds = _run(program, [name], {REACHED: str(notes)}, None)
        if code != 0:
            raise SystemExit(f"the test {name} fails without a mutant")
        yield Test(program, name, seconds, frozenset(map(int, notes.read_text().split())))


def batches(tests: Iterable[Test]) -> Iterator[list[Test]]:
    """The tests in groups that grow, each of one program."""
    wanted, waiting = FIRST_SECONDS, list[Test]()
    for test in tests:
        waiting.append(test)
        if sum(one.seconds for one in waiting) >= wanted:
            yield from _by_program(waiting)
            wanted, waiting = wanted * GROWTH, []
    yield from _by_program(waiting)


def _by_program(tests: list[Test]) -> Iterator[list[Test]]:
    for program in dict.fromkeys(test.program for test in tests):
        yield [test for test in tests if test.program == program]


def fate(number: int, tests: list[Test]) -> str:
    """What becomes of a mutant: "killed", "time", "survived", or "unreached" when no test meets it."""
    reaching = [test for test in tests if number in test.reached]
    for batch in batches(reaching):
        expected = sum(test.seconds for test in batch)
        names = [test.name for test in batch]
        code, _ = _run(batch[0].program, names, {VARIABLE: str(number)}, expected)
        if code in (None, -9, -24):
            return "time"
        if code != 0:
            return "killed"
    return "survived" if reaching else "unreached"
