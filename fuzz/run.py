"""Builds the fuzz targets of the core and runs one after the other: `make fuzz SECONDS=60`.

Needs rustup's stable toolchain and a C++ compiler, which builds libFuzzer; nothing is installed. What
libFuzzer finds is kept below `build/fuzz`: inputs that reach new code, and in `artifacts` those that fail.
Ends with 1 if a target fails. `--plain` leaves AddressSanitizer out and is some ten times as fast: safe Rust
is checked as before, C libraries and `unsafe` are not. `--record` adds to `fuzz/executions.json`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import ledger

HERE = Path(__file__).resolve().parent
KEPT = HERE.parent / "build" / "fuzz"
# What cargo-fuzz passes: coverage for libFuzzer. Nightly options of a stable compiler.
COVERAGE = (
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
)
ADDRESS = "-Zsanitizer=address"
# Bytes of an input, at most, where the default would be slow for what it finds.
MAX_LEN = {"training": 400, "merges": 300, "remote": 400, "tokenizer": 6000, "regions": 200}
DEFAULT_MAX_LEN = 1500
# Megabytes of the process, and of one allocation: xz may ask for 512 MiB, zstd for 128.
LIMITS = ("-rss_limit_mb=2048", "-malloc_limit_mb=700", "-timeout=20")


@dataclass(frozen=True)
class Outcome:
    """What a target did, in the words of libFuzzer."""

    target: str
    executions: int
    per_second: int
    new: int
    is_well: bool


def missing() -> str | None:
    """What building needs and is not there, in one line."""
    if shutil.which("cargo") is None:
        return "'cargo' was not found: rustup installs it"
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")):
        return (
            "no C++ compiler was found, and libFuzzer is written in C++: install g++ or clang++, or set CXX"
        )
    return None


def host() -> str:
    """The Rust target of this machine."""
    told = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    return re.findall(r"^host: (.*)$", told, re.MULTILINE)[0]


def build(*, is_plain: bool = False) -> Path:
    """Builds the program with all targets; a plain one has no AddressSanitizer."""
    machine, folder = host(), HERE / "target" / ("plain" if is_plain else "address")
    flags = COVERAGE if is_plain else (*COVERAGE, ADDRESS)
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": " ".join(flags)}
    command = ["cargo", "build", "--release", "--locked", "--target", machine, "--target-dir", str(folder)]
    subprocess.run(command, cwd=HERE, env=environment, check=True)
    return folder / machine / "release" / "targets"


def names() -> list[str]:
    """The targets of the core: each has a corpus."""
    return sorted(path.name for path in (HERE / "corpus").iterdir() if path.name != "readers")


def start(
    program: Path, target: str, options: list[str], length: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs libFuzzer on a target, on inputs of its usual length at most, or of `length` if that is less."""
    # Leaks are looked for at the end of a process, which needs a right that containers often lack.
    chosen = {"GENOTOK_FUZZ_TARGET": target, "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1"}
    usual = MAX_LEN.get(target, DEFAULT_MAX_LEN)
    longest = usual if length is None else min(length, usual)
    command = [str(program), f"-max_len={longest}", *LIMITS, *options]
    return subprocess.run(command, env=os.environ | chosen, check=False, capture_output=True, text=True)


def run(program: Path, target: str, seconds: int, length: int | None = None) -> Outcome:
    """Fuzzes a target for so long, from its corpus and what earlier runs have found."""
    kept, artifacts = KEPT / target, KEPT / "artifacts" / target
    kept.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    dictionary = HERE / "dictionaries" / f"{target}.dict"
    options = [f"-max_total_time={seconds}", "-print_final_stats=1", f"-artifact_prefix={artifacts}/"]
    options += [f"-dict={dictionary}"] if dictionary.exists() else []
    done = start(program, target, [*options, str(kept), str(HERE / "corpus" / target)], length)

    def stated(name: str) -> int:
        found = re.findall(rf"stat::{name}:\s+(\d+)", done.stderr)
        return int(found[-1]) if found else 0

    if done.returncode != 0:
        print(done.stderr[-6000:], file=sys.stderr)
    executions, per_second = stated("number_of_executed_units"), stated("average_exec_per_sec")
    return Outcome(target, executions, per_second, stated("new_units_added"), done.returncode == 0)


def merge(program: Path, target: str) -> None:
    """Adds what was found to the corpus, as far as it reaches code that the corpus does not."""
    done = start(program, target, ["-merge=1", str(HERE / "corpus" / target), str(KEPT / target)])
    print(target, *done.stderr.splitlines()[-1:])


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help=f"all if none is given: {', '.join(names())}"
    )
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--jobs", type=int, default=1, help="targets that run at a time (1)")
    parser.add_argument("--length", type=int, help="bytes of an input at most: short ones are tried faster")
    parser.add_argument("--plain", action="store_true", help="without AddressSanitizer")
    parser.add_argument("--record", action="store_true", help="add the executions to fuzz/executions.json")
    parser.add_argument(
        "--merge", action="store_true", help="add what was found to the corpus, and do not fuzz"
    )
    given = parser.parse_args()
    if unknown := set(given.targets) - set(names()):
        parser.error(f"no target is called {', '.join(sorted(unknown))}")
    return given


def main() -> int:
    """Builds, runs, and tells what was done."""
    given = arguments()
    if (lack := missing()) is not None:
        print(f"fuzzing is not possible here: {lack}", file=sys.stderr)
        return 1
    program = build(is_plain=given.plain)
    chosen = given.targets or names()
    if given.merge:
        for target in chosen:
            merge(program, target)
        return 0
    outcomes = []
    print(f"{'target':<12} {'executions':>12} {'per second':>11} {'new inputs':>11}")
    with ThreadPoolExecutor(given.jobs) as pool:
        for one in pool.map(lambda target: run(program, target, given.seconds, given.length), chosen):
            outcomes.append(one)
            told = f"{one.target:<12} {one.executions:>12,} {one.per_second:>11,} {one.new:>11,}"
            end = "" if one.is_well else f"  FAILED: the input is in build/fuzz/artifacts/{one.target}"
            print(told + end, flush=True)
            if given.record:
                ledger.add(one.target, "plain" if given.plain else "address", one.executions)
    print(f"{'all':<12} {sum(one.executions for one in outcomes):>12,}")
    return 0 if all(one.is_well for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
