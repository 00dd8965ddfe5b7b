"""The content-security policy of a page, the style of all pages, and data as text of a script element."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from typing import Any

__all__ = ["FRAME_STYLE", "embedded", "policy"]

FRAME_STYLE = (files("genotok.webpage") / "frame.css").read_text(encoding="utf-8")
"""Colours for light and dark, text, tables, and the tokens of a sequence."""


def policy(style: str, script: str) -> str:
    """The content-security policy: this style and this script by their hashes, an empty icon, no more."""
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (style, script)
    ]
    return (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def embedded(data: Any) -> str:  # noqa: ANN401  any JSON
    """Data as JSON that can stand in a `script` element: no string in it can end the element or open another.

    It is ASCII, so that it does not depend on the encoding of the page.
    """
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
