"""`make mutants`, first part: mutants of the core, as cargo-mutants lists them, tried by its tests.

A sample of each part of the core is built as switches (`mutants/switches.py`) in a copy of the sources,
below `build/mutants`. A mutant is tried by the unit tests of its part, with few examples of each property;
what survives them is tried by all tests of the core. One that takes more than `CPU_SECONDS` is killed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from mutants.sample import HEAD, drawn, row
from mutants.switches import PROFILE, SWITCH, VARIABLE, SourceText, build, located

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "mutants"
TREE = KEPT / "core"
PARTS = {"bpe": "bpe", "fasta": "io/fasta", "tokenizer": "tokenizer", "rows": "rows", "corpus": "corpus"}
# Slow without optimization, and tried with all tests.
LATER = "bpe::encode::neighbours::tests::the_automaton_finds_what_the_definition_says"
CPU_SECONDS = {"part": 5, "all": 300}
WALL_SECONDS = 3600


def missing() -> str | None:
    """What is not there, in one line."""
    if shutil.which("cargo") is None:
        return "'cargo' was not found: rustup installs it"
    if subprocess.run(["cargo", "mutants", "--version"], capture_output=True, check=False).returncode:
        return "cargo-mutants was not found: cargo install --locked cargo-mutants"
    return None


def copied() -> None:
    """A copy of the sources, with a profile of its own."""
    shutil.rmtree(TREE, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)
    with (TREE / "Cargo.toml").open("a") as file:
        file.write(PROFILE)
    (TREE / "rust/src/mutation.rs").write_text(SWITCH)
    with (TREE / "rust/src/lib.rs").open("a") as file:
        file.write("\nmod mutation;\n")


def part_of(file: str) -> str:
    """The part of the core that a source file is of."""
    inside = (
        name
        for name, place in PARTS.items()
        if file.startswith((f"rust/src/{place}.rs", f"rust/src/{place}/"))
    )
    return next(inside)


def listed() -> list[dict[str, Any]]:
    """All mutants of the parts."""
    globs = [f"--file=rust/src/{place}{end}" for place in PARTS.values() for end in (".rs", "/**")]
    command = ["cargo", "mutants", "--package", "genotok-core", "--all-features", "--list", "--json", *globs]
    found: list[dict[str, Any]] = json.loads(
        subprocess.run(command, cwd=TREE, stdout=subprocess.PIPE, check=True).stdout
    )
    return found


def built(sample: list[dict[str, Any]]) -> tuple[set[int], list[str]]:
    """The numbers of the mutants that compile, and the test programs that have them."""
    files = sorted({one["file"] for one in sample})
    environment = {**os.environ, "CARGO_TARGET_DIR": str(KEPT / "spans")}
    manifest = ROOT / "mutants" / "spans" / "Cargo.toml"
    command = ["cargo", "run", "--quiet", "--locked", "--manifest-path", manifest, "--", *files]
    done = subprocess.run(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    spans: dict[str, list[list[str]]] = {file: [] for file in files}
    for line in done.stdout.splitlines():
        file, *rest = line.split("\t")
        spans[file].append(rest)
    originals = {file: (TREE / file).read_text() for file in files}
    mutants = [
        mutant
        for file, text in originals.items()
        for mutant in located([one for one in sample if one["file"] == file], SourceText(text), spans[file])
    ]
    compiled, programs = build(TREE, originals, mutants)
    return {one.number for one in compiled}, programs


def survives(number: int, program: str, arguments: list[str], limit: str) -> str:
    """What becomes of a mutant: "killed", "time" or "survived"."""
    seconds = CPU_SECONDS[limit]
    environment = {**os.environ, VARIABLE: str(number), "PROPTEST_FAILURE_PERSISTENCE": "off"}
    if limit == "part":
        environment["PROPTEST_CASES"] = "16"
    try:
        done = subprocess.run(
            [program, "--quiet", *arguments],
            cwd=TREE / "rust",
            env=environment,
            capture_output=True,
            check=False,
            timeout=WALL_SECONDS,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1)),
        )
    except subprocess.TimeoutExpired:
        return "time"
    if done.returncode == 0:
        return "survived"
    return "time" if done.returncode in (-9, -24) else "killed"


def tried(number: int, part: str, programs: list[str]) -> str:
    """What becomes of a mutant under the tests of its part, and then under all."""
    unit = next(one for one in programs if Path(one).name.startswith("genotok_core"))
    filters = [f"{PARTS[part].replace('/', '::')}::", "--skip", LATER]
    result = survives(number, unit, filters, "part")
    for program in (unit, *(one for one in programs if one != unit)):
        if result == "survived":
            result = survives(number, program, [], "all")
    return result


def main() -> None:
    """Try a sample and print the table and the survivors."""
    parser = argparse.ArgumentParser(description="Try mutants of the core.")
    parser.add_argument("--number", type=int, default=40, help="mutants of each part; 0: all")
    number = parser.parse_args().number
    if lack := missing():
        sys.exit(f"mutants of the core cannot be tried here: {lack}")
    copied()
    everything = listed()
    by_name = {one["name"]: one for one in everything}
    totals = Counter(part_of(one["file"]) for one in everything)
    sample: list[dict[str, Any]] = []
    for part in PARTS:
        names = drawn((name for name, one in by_name.items() if part_of(one["file"]) == part), number, part)
        sample += [{**by_name[name], "number": len(sample) + at} for at, name in enumerate(names, 1)]
    compiled, programs = built(sample)
    results: dict[str, Counter[str]] = {part: Counter() for part in PARTS}
    if any(tried(0, part, programs) != "survived" for part in PARTS):
        sys.exit("the tests fail without a mutant")
    for one in sample:
        if one["number"] in compiled:
            result = tried(one["number"], part_of(one["file"]), programs)
            results[part_of(one["file"])][result] += 1
            if result == "survived":
                print(one["name"], flush=True)
    without = len(sample) - len(compiled)
    print(f"\n{without} of {len(sample)} mutants do not compile, or not as switches\n\n{HEAD}")
    for part in PARTS:
        print(row(part, totals[part], results[part]))


if __name__ == "__main__":
    main()
