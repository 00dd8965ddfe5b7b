"""`genotok info`: this installation, anything that genotok writes, or what a model costs."""

from __future__ import annotations

import json
import platform
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genotok.cli import kinds
from genotok.cli.kinds.printing import print_kind
from genotok.cli.shared import figures, model_costs
from genotok.cli.shared.console import print_json
from genotok.cli.shared.messages import one_line
from genotok.cli.shared.options import AsJson
from genotok.errors import ArgumentError
from genotok.run_records import machine
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

__all__ = ["EXAMPLES", "info"]

EXAMPLES = (
    "genotok info",
    "genotok info tokenizer.json",
    "genotok info shards",
    "genotok info --model dnabert2-117m",
)

EXACT_LENGTHS = 12
"""Token lengths up to this have a bar each in the histogram; longer ones share bars of doubling width."""

BAR_WIDTH = 40

MAX_LISTED_VOCABULARY = 1 << 21
"""Larger vocabularies, those of 11-mers and 12-mers, are not listed to describe them."""


def info(
    tokenizer: Annotated[
        str | None,
        typer.Argument(
            metavar="[PATH]",
            help="Anything that genotok wrote, a file or a folder; without it, versions and machine.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", metavar="NAME", help="A model's size by name (dnabert2-117m), or a folder with one."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Describe what genotok wrote (a tokenizer, tokens, a model, a record, ...), or this installation."""
    if tokenizer is not None and model is not None:
        raise ArgumentError("a tokenizer and --model: one of the two is expected")
    if model is not None:
        _tell(model_costs.describe(model), as_json, model_costs.print_description)
    elif tokenizer is None:
        _tell(_installation(), as_json, _print_installation)
    else:
        _describe(tokenizer, as_json)


def _describe(path: str, as_json: bool) -> None:
    """What is at a path."""
    kind, facts = kinds.recognise(path)
    if kind == kinds.TOKENIZER and not as_json:
        _print_tokenizer(path)
        return
    found = _tokenizer(path) if kind == kinds.TOKENIZER else {"path": path, **facts}
    _tell({"kind": kind, **found}, as_json, print_kind)


def _tell(facts: dict[str, object], as_json: bool, show: Callable[[dict[str, object]], None]) -> None:
    """Facts for a program, or for people."""
    if as_json:
        print_json(facts)
    else:
        show(facts)


def _installation() -> dict[str, object]:
    """Versions and machine."""
    import genotok

    return {
        "genotok": genotok.__version__,
        "python": platform.python_version(),
        "system": machine.description(),
        "cores": machine.cpu_cores(),
        "memory_bytes": machine.total_memory(),
    }


def _print_installation(facts: dict[str, object]) -> None:
    """Versions and machine as a table."""
    from genotok.cli.shared.console import print_facts, standard_output

    rows = [
        ("python", str(facts["python"])),
        ("system", str(facts["system"])),
        ("cores", str(facts["cores"])),
        ("memory", figures.memory(machine.total_memory())),
    ]
    print_facts(standard_output(), str(facts["genotok"]), rows)


def _lengths(tokenizer: Tokenizer) -> Counter[int]:
    """Length in bases to number of tokens, special ones left out; nothing of too many."""
    if tokenizer.vocab_size > MAX_LISTED_VOCABULARY:
        return Counter()
    special = set(tokenizer.special_tokens)
    return Counter(len(token) for token in tokenizer.vocab if token not in special)


def _longest(tokenizer: Tokenizer, number: int) -> list[str]:
    """The longest tokens, the earliest first among equals; special ones left out; none of too many."""
    if tokenizer.vocab_size > MAX_LISTED_VOCABULARY:
        return []
    special = set(tokenizer.special_tokens)
    return sorted((token for token in tokenizer.vocab if token not in special), key=len, reverse=True)[
        :number
    ]


def _tokenizer(path: str) -> dict[str, object]:
    """What is in a tokenizer."""
    tokenizer = Tokenizer.from_file(path)
    states, size = tokenizer.automaton_size() or (None, None)
    return {
        "file": path,
        "automaton_states": states,
        "automaton_bytes": size,
        "why_no_automaton": tokenizer.why_no_automaton(),
        "vocab_size": tokenizer.vocab_size,
        "special_tokens": tokenizer.special_tokens,
        "special_roles": tokenizer.special_roles,
        "truncation": tokenizer.truncation,
        "padding": tokenizer.padding,
        "merges": len(tokenizer.merges),
        "longest_tokens": _longest(tokenizer, 10),
        "lengths": dict(sorted(_lengths(tokenizer).items())),
    }


def _print_tokenizer(path: str) -> None:
    """What is in a tokenizer as a table, with a histogram of token lengths."""
    from genotok.cli.shared.console import print_facts, standard_output

    console = standard_output()
    tokenizer = Tokenizer.from_file(path)
    lengths = _lengths(tokenizer)
    mean = sum(length * number for length, number in lengths.items()) / max(lengths.total(), 1)
    width = min(console.width, 120) - 20
    first = [one_line("".join(pair)) for pair in tokenizer.merges[:12]]
    bar = "#" if console.options.ascii_only else "█"
    rows: list[tuple[str, str | Text]] = [
        (
            "vocabulary",
            f"{figures.count(tokenizer.vocab_size, 'token')}, {len(tokenizer.merges):,} of them merges",
        ),
        ("special", " ".join(map(one_line, tokenizer.special_tokens)) or "none"),
        ("roles", _pairs(tokenizer.special_roles)),
        ("around", _around(tokenizer)),
        ("truncation", _setting(tokenizer.truncation)),
        ("padding", _setting(tokenizer.padding)),
        ("automaton", _automaton(tokenizer)),
        ("first merges", " ".join(first)),
        ("token length", f"{mean:.2f} bases on average, {max(lengths, default=0):,} at most"),
        (
            "longest",
            "\n".join(figures.shorten(one_line(token), width) for token in _longest(tokenizer, 5)),
        ),
        ("lengths", _histogram(lengths, bar)),
    ]
    print_facts(console, path, rows)


def _automaton(tokenizer: Tokenizer) -> str:
    """The size of what encodes."""
    size, reason = tokenizer.automaton_size(), tokenizer.why_no_automaton()
    if size is None:
        return "none" if reason is None else f"none, so that encoding is slow: {reason}"
    return f"{figures.count(size[0], 'state')}, {figures.memory(size[1])}"


def _pairs(entries: dict[str, Any]) -> str:
    """A few entries in a line."""
    shown = (value if isinstance(value, str) else json.dumps(value) for value in entries.values())
    return ", ".join(f"{key} {one_line(value)}" for key, value in zip(entries, shown, strict=True))


def _setting(entries: dict[str, Any] | None) -> str:
    """A setting that has no part in encoding."""
    return "" if entries is None else f"{_pairs(entries)} (kept, not applied)"


def _around(tokenizer: Tokenizer) -> str:
    """What special tokens around a sequence would be, of a file that says so."""
    if tokenizer.template is None:
        return ""
    names = {number: one_line(token) for token, number in tokenizer.vocab.items()}
    before, behind = ([names[number] for number in part] for part in tokenizer.template)
    return " ".join([*before, "...", *behind]) if before or behind else "nothing"


def _histogram(lengths: Counter[int], bar: str) -> Text:
    """One line per length or range of lengths: number of tokens and a bar."""
    from rich.text import Text

    binned: Counter[tuple[int, int]] = Counter()
    for length, number in lengths.items():
        binned[_range(length)] += number
    largest = max(binned.values(), default=1)
    text = Text()
    for (first, last), number in sorted(binned.items()):
        name = f"{first}" if first == last else f"{first}-{last}"
        text.append(f"{name:>9}  {number:>6,}  ").append(
            bar * -(-number * BAR_WIDTH // largest), "green"
        ).append("\n")
    text.rstrip()
    return text


def _range(length: int) -> tuple[int, int]:
    """The bar that `length` belongs to."""
    if length <= EXACT_LENGTHS:
        return length, length
    last = 2 * EXACT_LENGTHS
    while length > last:
        last *= 2
    return max(last // 2, EXACT_LENGTHS) + 1, last
