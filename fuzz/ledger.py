"""What was run so far: `executions.json`, which adds up, and its table in docs/contributing/fuzzing.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

LEDGER = Path(__file__).resolve().parent / "executions.json"
PAGE = LEDGER.parents[1] / "docs" / "contributing" / "fuzzing.md"
MARKS = "<!-- executions -->", "<!-- /executions -->"
WAYS = ("address", "plain", "atheris")

Ledger = dict[str, dict[str, int]]


def read() -> Ledger:
    """Executions of each target and way."""
    found: Ledger = json.loads(LEDGER.read_text(encoding="utf-8")) if LEDGER.exists() else {}
    return found


def add(target: str, way: str, executions: int) -> None:
    """Adds executions of a target to the ledger, and writes the table anew."""
    found = read()
    ways = found.setdefault(target, {})
    ways[way] = ways.get(way, 0) + executions
    LEDGER.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    start, end = MARKS
    text = f"{start}\n\n{table(found)}\n\n{end}"
    PAGE.write_text(re.sub(f"{start}.*?{end}", lambda _: text, page, flags=re.DOTALL), encoding="utf-8")


def table(found: Ledger) -> str:
    """Executions by target and way, with the sums."""
    head = "| target | with AddressSanitizer | without | by atheris | all |\n|---|---:|---:|---:|---:|"
    sums = {way: sum(ways.get(way, 0) for ways in found.values()) for way in WAYS}
    rows = [*((f"`{target}`", found[target]) for target in sorted(found)), ("all", sums)]

    def cells(ways: dict[str, int]) -> str:
        counts = [ways.get(way, 0) for way in WAYS]
        return " | ".join(f"{count:,}" if count else "" for count in [*counts, sum(counts)])

    return "\n".join([head, *(f"| {name} | {cells(ways)} |" for name, ways in rows)])
