"""A part of a page that a program writes: what stands between `<!-- name -->` and `<!-- /name -->`."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["write_marked"]


def write_marked(page: Path, name: str, text: str) -> None:
    """Write the part of a page, in place of the one before."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    whole, part = page.read_text(encoding="utf-8"), f"{start}\n\n{text}\n\n{end}"
    page.write_text(re.sub(f"{start}.*?{end}", lambda _: part, whole, flags=re.DOTALL), encoding="utf-8")
