"""Mutants of the core as switches: one build holds many, and an environment variable turns one on.

cargo-mutants compiles the core anew for each mutant, which takes far longer than the tests of a module.
Here each mutant that it lists becomes a branch: `a + b` becomes `(if on(7) { a - b } else { a + b })`, a body
gets `if on(7) { return ...; }` in front, an arm the guard `!on(7)`. The operands are those of the syntax tree
before the change. Mutants nest; a nested one is only in the branch of the original, as one is on at a time.

What does not compile is left out and the rest is built again: mutants that are no Rust, and a few that are
no switch (in constants, of functions that return `impl Trait`, fields of structs).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "GENOTOK_MUTANT"
"""The number of the mutant that is on."""
REACHED = "GENOTOK_MUTANTS_REACHED"
"""A file that gets the numbers of the mutants that a run meets; none is on."""


def switch(mutants: int) -> str:
    """The module of the core by which `mutants` mutants, numbered from 1, are on or off."""
    return f"""//! Which mutant is on.

use std::io::Write;
use std::sync::atomic::{{AtomicBool, AtomicU32, Ordering::Relaxed}};

const UNKNOWN: u32 = u32::MAX;
const RECORDING: u32 = u32::MAX - 1;
static ACTIVE: AtomicU32 = AtomicU32::new(UNKNOWN);
static REACHED: [AtomicBool; {mutants + 1}] = [const {{ AtomicBool::new(false) }}; {mutants + 1}];

#[inline]
pub(crate) fn on(number: u32) -> bool {{
    match ACTIVE.load(Relaxed) {{
        active if active < RECORDING => active == number,
        _ => first(number),
    }}
}}

#[cold]
fn first(number: u32) -> bool {{
    let seen = &REACHED[number as usize];
    if ACTIVE.load(Relaxed) == RECORDING && seen.load(Relaxed) {{
        return false;
    }}
    let file = std::env::var("{REACHED}").ok();
    let chosen = std::env::var("{VARIABLE}").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let active = if file.is_some() {{ RECORDING }} else {{ chosen }};
    ACTIVE.store(active, Relaxed);
    if let Some(file) = file.filter(|_| !seen.swap(true, Relaxed)) {{
        let file = std::fs::OpenOptions::new().append(true).open(file);
        file.and_then(|mut file| writeln!(file, "{{number}}")).expect("the file is there");
    }}
    active == number
}}
"""


DYLIB = ".dylib" if sys.platform == "darwin" else ".so"
PROFILE = """
[profile.mutants]
inherits = "dev"
debug = false
"""

OPTIONS = ("--package", "genotok-core", "--all-features", "--profile", "mutants", "--lib", "--tests")
CHECK, BUILD = ("cargo", "check", *OPTIONS), ("cargo", "test", "--no-run", *OPTIONS)
EXTENSION = ("cargo", "build", "--package", "genotok-python", "--profile", "mutants")


@dataclass(frozen=True)
class Mutant:
    """A mutant: what is replaced is between `start` and `end`; `cut` is its operator, or its pattern."""

    number: int
    name: str
    file: str
    genre: str
    replacement: str
    start: int
    end: int
    cut: tuple[int, int] | None = None

    @property
    def condition(self) -> str:
        """That it is on."""
        return f"crate::mutation::on({self.number})"

    def marked(self, text: str) -> str:
        """The text between comments, by which errors of the compiler are attributed."""
        return f"/*<{self.number}*/{text}/*{self.number}>*/"


class SourceText:
    """A source file, and where its lines start."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = list(accumulate((len(line) for line in text.splitlines(keepends=True)), initial=0))

    def at(self, place: str) -> int:
        """The place of `line:column`, counted from 1 and from 0."""
        line, column = map(int, place.split(":"))
        return self.starts[line - 1] + column


def located(listed: list[dict[str, Any]], source: SourceText, spans: list[list[str]]) -> list[Mutant]:
    """The mutants of a file, as listed by cargo-mutants, that can be switches."""
    regions: dict[tuple[str, int], tuple[int, int]] = {}
    for kind, first, _, left, right in spans:
        regions[kind, source.at(first)] = (source.at(left), source.at(right))
    found = []
    for one in listed:
        start, end = (
            source.at(f"{one['span'][side]['line']}:{one['span'][side]['column'] - 1}")
            for side in ("start", "end")
        )
        genre = one["genre"]
        region: tuple[int, int] | None = (start, end)
        cut: tuple[int, int] | None = None
        if genre in ("BinaryOperator", "UnaryOperator"):
            region, cut = regions.get((genre, start)), (start, end)
        elif genre == "MatchArm":
            cut = regions.get((genre, start))
            has_guard = cut is not None and source.text[cut[1] :].lstrip().startswith("if ")
            region = None if cut is None or has_guard else region
        elif genre == "FnValue":
            region = None if "impl " in one["function"]["return_type"] else region
        elif genre != "MatchArmGuard":
            region = None
        if region is not None:
            what = (one["number"], one["name"], one["file"], genre, one["replacement"])
            found.append(Mutant(*what, *region, cut))
    return found


def switchable(text: str, mutants: list[Mutant]) -> str:
    """The text of a file with its mutants as switches."""
    return _rendered(text, (0, len(text)), mutants)


def _rendered(text: str, part: tuple[int, int], mutants: list[Mutant]) -> str:
    """A part of the text, with the mutants in it."""
    parts, at = [], part[0]
    waiting = sorted(mutants, key=lambda one: (one.start, -one.end))
    while waiting:
        first = waiting[0]
        inside = [one for one in waiting if one.start < first.end]
        same = [
            one
            for one in inside
            if (one.genre, one.start, one.end, one.cut) == (first.genre, first.start, first.end, first.cut)
        ]
        parts += [text[at : first.start], _switch(text, same, [one for one in inside if one not in same])]
        at = first.end
        waiting = waiting[len(inside) :]
    return "".join([*parts, text[at : part[1]]])


def _switch(text: str, same: list[Mutant], nested: list[Mutant]) -> str:
    """What replaces mutants of one place; `nested` are in it."""

    def inner(start: int, end: int) -> str:
        return _rendered(text, (start, end), [one for one in nested if start <= one.start and one.end <= end])

    first, (start, end) = same[0], (same[0].start, same[0].end)
    if first.genre == "FnValue":
        ends = (one.marked(f"if {one.condition} {{ return {one.replacement}; }} ") for one in same)
        return "".join(ends) + inner(start, end)
    if first.cut is None:
        branches = (f"if {one.condition} {{ {one.replacement} }}" for one in same)
        original = inner(start, end)
    elif first.genre == "MatchArm":
        guards = "".join(one.marked(f" if !{one.condition}") for one in same)
        return inner(start, first.cut[1]) + guards + inner(first.cut[1], end)
    else:
        left, right = text[start : first.cut[0]], text[first.cut[1] : end]
        branches = (f"if {one.condition} {{ {left}{one.replacement} {right} }}" for one in same)
        original = inner(start, first.cut[0]) + text[slice(*first.cut)] + inner(first.cut[1], end)
    switches = "".join(one.marked(branch) + " else " for one, branch in zip(same, branches, strict=True))
    return f"({switches}{{ {original} }})"


def build_extension(tree: Path) -> None:
    """Build the extension of a copy whose core holds mutants, and put it into its package."""
    target = tree.parent / "target"
    subprocess.run(EXTENSION, cwd=tree, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, check=True)
    shutil.copy2(target / "mutants" / f"lib_native{DYLIB}", tree / "python/genotok/_native.abi3.so")


def build(tree: Path, originals: dict[str, str], mutants: list[Mutant]) -> tuple[list[Mutant], list[str]]:
    """Build the tests of a copy of the sources: the mutants that compile, and the test programs."""
    kept = {**os.environ, "CARGO_TARGET_DIR": str(tree.parent / "target")}
    command: tuple[str, ...] = CHECK  # which finds nearly all that does not compile, and soon
    while True:
        for file, text in originals.items():
            new = switchable(text, [one for one in mutants if one.file == file])
            if (tree / file).read_text() != new:
                (tree / file).write_text(new)
        line = [*command, "--message-format", "json"]
        done = subprocess.run(line, cwd=tree, env=kept, stdout=subprocess.PIPE, text=True, check=False)
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode == 0 and command == CHECK:
            command = BUILD
            continue
        if done.returncode == 0:
            return mutants, [one["executable"] for one in messages if one.get("executable")]
        errors = [one["message"] for one in messages if one.get("reason") == "compiler-message"]
        errors = [one for one in errors if one["level"] == "error"]
        refused = {number for error in errors for number in _refused(tree, error)}
        if not refused:
            raise SystemExit("the mutants do not compile:\n" + "\n".join(one["rendered"] for one in errors))
        print(f"{len(refused)} mutants do not compile; once more without them", flush=True)
        mutants = [one for one in mutants if one.number not in refused]


def _refused(tree: Path, error: dict[str, Any]) -> set[int]:
    """The mutants that an error of the compiler is about: the smallest around its place, else those in it."""
    found: set[int] = set()
    for span in sorted(error["spans"], key=lambda span: not span["is_primary"]):
        if found and not span["is_primary"]:
            break
        text = (tree / span["file_name"]).read_bytes()
        around = []
        for opened in re.finditer(rb"/\*<(\d+)\*/", text):
            close = text.find(b"/*%s>*/" % opened[1], opened.end())
            if opened.start() <= span["byte_start"] and span["byte_end"] <= close:
                around.append((close - opened.start(), int(opened[1])))
            elif span["byte_start"] <= opened.start() and close <= span["byte_end"]:
                around.append((len(text), int(opened[1])))
        found |= {number for size, number in around if size == min(around)[0]}
    return found
