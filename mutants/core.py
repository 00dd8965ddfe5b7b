"""`make mutants`, first part: mutants of the core, as cargo-mutants lists them, tried by its tests.

A sample of each part of the core is built as switches (`mutants/switches.py`) in a copy of the sources,
below `build/mutants`. A mutant is tried by all tests of the core that reach it (`mutants/trials.py`), and if
it survives, by the files of Python's tests that are about what the core does. What became of each is kept in
`build/mutants/core.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mutants.copies import KEPT, ROOT, copy_project
from mutants.sample import HEAD, drawn, row
from mutants.switches import PROFILE, SourceText, build, build_extension, located, switch
from mutants.trials import Test, fate, of_python, of_rust

TREE = KEPT / "core"
TESTS = (
    *("reading", "reading_formats", "reading_specimens", "rows", "windows", "verdict", "check", "bed"),
    *("encode_batch", "encode_files", "kmers", "word_level", "no_automaton", "templates", "identity"),
    *("tokenizer_call", "tokenizer_file", "training", "shards", "packed_shards", "parts", "bed_output"),
    *("browse_encoding", "columns_with_nulls", "token_array", "golden", "hostile_files", "errors"),
    *("outputs", "loci", "hostile_paths", "tokenizer_roles"),
)
"""The tests of Python that try what survives the tests of the core."""

PARTS = {"bpe": "bpe", "fasta": "io/fasta", "tokenizer": "tokenizer", "rows": "rows", "corpus": "corpus"}


def missing() -> str | None:
    """What is not there, in one line."""
    if shutil.which("cargo") is None:
        return "'cargo' was not found: rustup installs it"
    if subprocess.run(["cargo", "mutants", "--version"], capture_output=True, check=False).returncode:
        return "cargo-mutants was not found: cargo install --locked cargo-mutants"
    return None


def copied() -> None:
    """A copy of the sources, with a profile of its own."""
    copy_project(TREE)
    with (TREE / "Cargo.toml").open("a") as file:
        file.write(PROFILE)
    with (TREE / "rust/src/lib.rs").open("a") as file:
        file.write("\nmod mutation;\n")
    (TREE / "rust/src/mutation.rs").touch()  # cargo-mutants warns of a module without a file


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


def chosen(everything: list[dict[str, Any]], number: int, only: set[str] | None) -> list[dict[str, Any]]:
    """The mutants of a sample, numbered from 1; those of the names in `only` if there are any."""
    by_name = {one["name"]: one for one in everything}
    sample: list[dict[str, Any]] = []
    for part in PARTS:
        names = drawn((name for name, one in by_name.items() if part_of(one["file"]) == part), number, part)
        names = [name for name in names if only is None or name in only]
        sample += [{**by_name[name], "number": len(sample) + at} for at, name in enumerate(names, 1)]
    return sample


def fate_of(number: int, suites: dict[str, list[Test]]) -> tuple[str, str | None]:
    """What becomes of a mutant, and by which suite it is killed, the first that does; None if none does."""
    met = False
    for suite, tests in suites.items():
        result = fate(number, tests)
        if result in ("killed", "time"):
            return result, suite
        met = met or result == "survived"
    return "survived" if met else "unreached", None


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description="Try mutants of the core.")
    parser.add_argument("--number", type=int, default=40, help="mutants of each part; 0: all")
    parser.add_argument("--jobs", type=int, default=1, help="mutants tried at a time (1)")
    parser.add_argument("--only", type=Path, metavar="FILE", help="those named in the lines of a file")
    return parser.parse_args()


def main() -> None:
    """Try a sample and print the table and the survivors."""
    given = arguments()
    if lack := missing():
        sys.exit(f"mutants of the core cannot be tried here: {lack}")
    only = set(given.only.read_text().splitlines()) if given.only else None
    copied()
    everything = listed()
    totals = Counter(part_of(one["file"]) for one in everything)
    sample = chosen(everything, given.number, only)
    (TREE / "rust/src/mutation.rs").write_text(switch(len(sample)))
    compiled, programs = built(sample)
    build_extension(TREE)
    suites = {"Rust": of_rust(TREE, programs), "Python": of_python(TREE, TESTS)}
    results: dict[str, Counter[str]] = {part: Counter() for part in PARTS}
    trying = [one for one in sample if one["number"] in compiled]
    with ThreadPoolExecutor(given.jobs) as pool, (KEPT / "core.jsonl").open("w") as kept:
        fates = pool.map(lambda one: fate_of(one["number"], suites), trying)
        for one, (result, suite) in zip(trying, fates, strict=True):
            results[part_of(one["file"])][result] += 1
            print(json.dumps({"name": one["name"], "fate": result, "by": suite}), file=kept, flush=True)
            if suite != "Rust":
                print(f"{result}{f' by {suite}' if suite else ''}: {one['name']}", flush=True)
    without = len(sample) - len(compiled)
    print(f"\n{without} of {len(sample)} mutants do not compile, or not as switches\n\n{HEAD}")
    for part in PARTS:
        print(row(part, totals[part], results[part]))


if __name__ == "__main__":
    main()
