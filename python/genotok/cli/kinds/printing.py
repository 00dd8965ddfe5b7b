"""Facts about anything that genotok writes, as a table for people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from genotok.cli.kinds.tokens import print_tokens
from genotok.cli.shared import figures
from genotok.cli.shared.messages import one_line

if TYPE_CHECKING:
    from genotok.cli.kinds.look import Facts

__all__ = ["print_kind"]

MAX_ENTRIES = 12
BYTES = ("bytes", "peak_memory_bytes", "memory_bytes")
LABELS = {
    "bytes": "size",
    "next": "",
    "peak_memory_bytes": "memory",
    "tokenizer_sha256": "tokenizer",
    "vocabulary_sha256": "vocab digest",
    "weights_sha256": "weights",
    "max_token_length": "longest token",
    "last_checkpoint": "checkpoint",
    "eval_bits_per_base": "bits per base",
    "vocab_size": "vocabulary",
    "genotok": "made by",
}


def print_kind(facts: Facts) -> None:
    """A table of facts, the kind first."""
    from genotok.cli.shared.console import print_facts, standard_output

    path = str(facts["path"])
    if "checksums" in facts:
        print_tokens(path, facts)
        return
    rows = [("is", str(facts["kind"]))]
    rows += [
        (one_line(LABELS.get(name, f"{name.replace('_', ' ')} ")), _told(name, value))
        for name, value in facts.items()
        if name not in {"kind", "path"} and value is not None
    ]
    print_facts(standard_output(), one_line(path), rows)


def _told(name: str, value: Any) -> str:  # noqa: ANN401 - any JSON
    """A value as text: numbers with separators, lists and dictionaries in one line, cut if they are long."""
    if isinstance(value, dict):
        return _some(
            [
                f"{one_line(str(key))} {_told(str(key), part)}"
                for key, part in value.items()
                if part is not None
            ]
        )
    if isinstance(value, list):
        return _some([_entry(part) for part in value]) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return figures.memory(value) if name in BYTES else f"{value:,}"
    text = f"{value:,.4g}" if isinstance(value, float) else one_line(str(value))
    return f"genotok {text}" if name == "genotok" else text


def _entry(value: Any) -> str:  # noqa: ANN401 - any JSON
    """A part of a list: a dictionary by its name."""
    if isinstance(value, dict):
        return one_line(str(value.get("name") or json.dumps(value)))
    return _told("", value)


def _some(parts: list[str]) -> str:
    """Parts in one line; how many more there are."""
    shown = ", ".join(parts[:MAX_ENTRIES])
    return shown if len(parts) <= MAX_ENTRIES else f"{shown} and {len(parts) - MAX_ENTRIES:,} more"
