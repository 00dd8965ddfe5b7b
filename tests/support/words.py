"""The words of the house: what is not said, and what is said in its place.

`python -m tests.support.words [PATH ...]` lists where a word is used that the glossary replaces, and type
names that are defined twice.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent


class Word(NamedTuple):
    """A pattern that is not to be found, where it is not, and what to say instead."""

    pattern: str
    instead: str
    files: str = "py rs md toml html"


_UNITS = "bits|bytes|ns|nanoseconds|microseconds|milliseconds|seconds|ms|cores?|times|byte|bit"

BANNED = (
    Word(r"(?<!post[- ])(?<!pre-)(?<!platform\.)(?<![\"_])\bprocessors?\b", "CPU, CPU core"),
    Word(r"\bone a (processor|core)\b", "one per core"),
    Word(r"\bside[ -]by[ -]side\b|side_by_side", "non-overlapping (k-mers); next to each other"),
    Word(
        r"\bend[ -]to[ -]end\b|end_to_end", "concatenated, contiguous, back to back; non-overlapping (k-mers)"
    ),
    Word(
        r"(?i)(?<![a-z])(?<!not-a-)(?<!\bno-)letters?(?![a-z])",
        "bases, IUPAC codes, symbols, characters, residues",
    ),
    Word(r"\blearnt\b", "trained, learned"),
    Word(r"\bguess(ed|es)? right\b|\bhidden tokens?\b", "masked-token accuracy, masked tokens"),
    Word(r"\bby frequency\b", "unigram baseline"),
    Word(
        r"\bif permuted\b|_permuted\b|\bpermuted_|\btold of next\b|\btold_of",
        "shuffled control; mutual information",
    ),
    Word(r"\b(with )?equal codes\b|\bequal_codes\b", "fixed-length code"),
    Word(r"(?i)(?<![a-z])mirror(ed|s)?(?![a-z])", "reverse-complement consistency"),
    Word(r"\bshare_(?!\")|\blikeliest\b", "prob_<class>, predicted class, confidence", "py rs html"),
    Word(
        r"\blooked at\b|\blooks\s*[:=)]|\beach look\b|\bof looks\b",
        "evaluation, evaluation step",
        "py rs html",
    ),
    Word(r"\bheard\b|\bTold\b|\btakers?\b", "callback, on_status, consumer"),
    Word(r"(?i)obstacles?", "unsupported reason, why_unsupported"),
    Word(r"\bpenalt(y|ies) by distance\b", "ALiBi bias, slopes"),
    Word(r"\bwant_(weights|states)\b", "output_attentions, output_hidden_states"),
    Word(r"\b(go|goes|going|gone) on with\b|\bto go on\b", "resume, continue"),
    Word(r"\bElsewhere\b|\belsewhere\s*[:=,.)]|_elsewhere\b", "remote", "py rs"),
    Word(r"\bbegins?\s*[:=,.)\]]|\.begins?\b|\bbegins?_(?!array|object)|_begins?\b", "start", "py rs"),
    Word(r"\bmend(s|ed|ing)?\b", "fix"),
    Word(r"\bthin coat\b", "thin wrapper, binding layer"),
    Word(r"\bof (one's|somebody's|a) own\b|\bof somebody\b", "custom, user-defined, your own"),
    Word(r"\bunfair\b", "caveats, comparability notes"),
    Word(
        rf"\b({_UNITS}) an? (base|token|line|row|record|file|core|step|batch|pair|shard|sequence|merge)\b",
        "per",
    ),
    Word(r"(?<!\")\brooms?\b|\brooms?\b(?!\")", "budget, capacity, scratch buffer; package, module"),
    Word(r"\bparted\b", "boundary pairs"),
    Word(r"\b[Ww]hole or not at all\b|\bWholeFile\b", "atomic write, AtomicFile"),
    Word(
        r"\b_?(MOST|LEAST|NARROWEST|WIDEST|LARGEST|SMALLEST|LONGEST|SHORTEST)_?[A-Z]*\b",
        "MAX_, MIN_",
        "py rs",
    ),
    Word(r"\b(Treatment|Manner|Frame|Scheme)\b", "UnknownPolicy, options, document, model", "rs"),
    Word(r"\brubbish\b", "stale, partial, leftover"),
    Word(r"\bat hand\b", "available, missing"),
    Word(r"\bto become of\b", "encoding job, job specification"),
    Word(r"\beye on\b", "interruptible work"),
    Word(r"\bloads nothing\b", "self-contained"),
    Word(r"\bwhat (`)?genotok [a-z]+(`)? wrote\b", "the output of `genotok ...`"),
    Word(r"\blengths? in its tokens\b", "token lengths"),
    Word(r"\bsecond cache\b", "L2 cache"),
    Word(r"\bthe same, whatever\b", "deterministic, reproducible to the bit"),
    Word(r"\b[MGk]b/s\b", "Mbp/s, Gbp/s (bases), MB/s (bytes)"),
)

# Files and folders that keep words which are replaced elsewhere, and why.
EXEMPT = {
    "CHANGELOG.md": "what was released keeps the words it was released with",
    "tests/support/words.py": "the patterns themselves",
    "tests/golden/": "files of earlier versions",
    "benchmarks/record/": "records as they were measured; renderers translate",
    "python/genotok/dataset/earlier_versions.py": "the keys of earlier manifests, by which they are read",
    "python/genotok/run_records/version_1.py": "the keys and phrases of version 1, by which it is read",
    "docs/reference/glossary.md": "lists the words with what replaces them",
    "share/": "generated from the help texts, which are checked",
}

# Public types that are defined in several places and mean the same, and why there are several.
SAME_CONCEPT = {
    **dict.fromkeys(
        (
            "BatchOptions",
            "LocusOptions",
            "PackOptions",
            "ReadOptions",
            "RowOptions",
            "RunOptions",
            "TrainOptions",
        ),
        "a group of options in Python, as the binding takes it, and as the core has it",
    ),
    **dict.fromkeys(
        ("RecordDigest", "RowReport", "TrainingReport"), "a report of the core, and its type in Python"
    ),
    "AtomicFile": "a file under its temporary name in the core, in the binding and in Python",
    "Tokenizer": "the tokenizer of the core, as the binding wraps it, and as Python users see it",
}


class Found(NamedTuple):
    """A word in a line of a file."""

    path: str
    line: int
    text: str
    instead: str


def files_below(*names: str) -> Iterator[Path]:
    """The files of the repository below the paths given that have words to be judged."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if (
            not name.startswith(tuple(EXEMPT))
            and path.suffix[1:] in {"py", "pyi", "rs", "md", "toml", "html"}
            and path.exists()
        ):
            yield path


def banned_words(paths: Iterable[Path]) -> Iterator[Found]:
    """Each use of a banned word."""
    rules = [(re.compile(word.pattern), word.instead, word.files.split()) for word in BANNED]
    for path in paths:
        kind = path.suffix[1:].removesuffix("i")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for pattern, instead, files in rules:
                if kind in files and (match := pattern.search(line)):
                    yield Found(str(path.relative_to(ROOT)), number, match[0], instead)


def names_of_files(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Files named by a banned word."""
    for path in paths:
        stem = path.stem.replace("_", " ")
        for word in BANNED:
            if path.suffix[1:] in word.files.split() and (match := re.search(word.pattern, stem)):
                yield str(path.relative_to(ROOT)), match[0]


@cache
def public_types() -> dict[str, list[str]]:
    """Where each public type of the package, the core and the binding is defined."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in files_below("python/genotok"):
        if path.suffix == ".py":
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                name = node.name if isinstance(node, ast.ClassDef) else _alias(node)
                if name and not name.startswith("_"):
                    found[name].append(str(path.relative_to(ROOT)))
    for path in files_below("rust/src", "rust/python/src"):
        if path.stem != "tests" and path.parent.name != "tests":
            for name in re.findall(
                r"^pub(?:\([a-z]+\))? (?:struct|enum|trait|type) (\w+)",
                path.read_text(encoding="utf-8"),
                re.MULTILINE,
            ):
                found[name].append(str(path.relative_to(ROOT)))
    return found


def ambiguous_types() -> dict[str, list[str]]:
    """Public type names with more than one meaning."""
    return {
        name: where
        for name, where in sorted(public_types().items())
        if len(where) > 1 and name not in SAME_CONCEPT
    }


def _alias(node: ast.stmt) -> str | None:
    """The name of a type alias, `Name: TypeAlias = ...`."""
    if (
        isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and "TypeAlias" in ast.dump(node.annotation)
    ):
        return node.target.id
    return None


def main(names: Sequence[str]) -> int:
    """List what is found below the paths given."""
    paths = list(files_below(*names))
    found = list(banned_words(paths))
    for each in found:
        print(f"{each.path}:{each.line}: {each.text!r}: say {each.instead}")
    for name, text in names_of_files(paths):
        print(f"{name}: file named by {text!r}")
    for name, where in ambiguous_types().items():
        if any(str(path.relative_to(ROOT)) in where for path in paths):
            print(f"{name} means {len(where)} things: {' '.join(where)}")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
