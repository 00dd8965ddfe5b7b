"""Prints what the changelog says of a version: `python -m release.notes VERSION`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"


def section(version: str) -> tuple[str, str]:
    """What stands in a version's heading, and the text below it; empty if the version has no heading."""
    part = rf"^## \[{re.escape(version)}\](.*?)$\n(.*?)(?=^## \[|\Z)"
    found = re.search(part, CHANGELOG.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return (found[1].strip(" -"), found[2].strip()) if found else ("", "")


if __name__ == "__main__":
    print(section(sys.argv[1])[1])
