"""matplotlib's SVG made fit for the page: no style attribute, colours by name, text as text.

The page's content-security policy forbids `style` attributes and elements that it has no hash of, and
matplotlib writes one on nearly every element. A style's declarations are moved to attributes, which mean the
same and are allowed. Colours cannot be known when a plot is drawn, as the reader's screen may be light or
dark: plots are drawn in code colours, which become `currentColor` or `var(--s1)` here, and the page's style
fills them in.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

__all__ = ["FOREGROUND", "GRID", "SERIES_COLOURS", "inline"]

FOREGROUND, GRID = "#010203", "#010204"
SERIES_COLOURS = tuple(f"#0102{0x10 + number:02x}" for number in range(6))

MEANING = {
    FOREGROUND: "currentColor",
    GRID: "var(--grid)",
    **{code: f"var(--s{number + 1})" for number, code in enumerate(SERIES_COLOURS)},
}

ALLOWED = {
    "fill", "fill-opacity", "fill-rule", "font-size", "font-weight", "opacity", "stroke", "stroke-dasharray",
    "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-opacity",
    "stroke-width", "text-anchor", "clip-path", "dominant-baseline",
}  # fmt: skip
"""Declarations that are attributes in SVG, too; all others are left out."""


def inline(source: bytes, label: str) -> str:
    """The SVG document as an element of an HTML page, which is told as `label` to who cannot see it."""
    root = ET.fromstring(source)  # noqa: S314  written by matplotlib a moment ago
    for parent in root.iter():
        for child in list(parent):
            if _name(child.tag) in {"metadata", "style", "title"}:
                parent.remove(child)
    for element in root.iter():
        element.tag = _name(element.tag)
        _settle_attributes(element)
    _drop_unused_names(root)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.attrib |= {
        "role": "img",
        "aria-label": label,
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)


def _drop_unused_names(root: ET.Element) -> None:
    """Remove the `id` of what nothing refers to: a page with several plots would have them several times."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    used = {name for value in values for name in re.findall(r"^#(.+)$|url\(#(.+?)\)", value)}
    names = {name for pair in used for name in pair}
    for element in root.iter():
        if element.get("id") not in names:
            element.attrib.pop("id", None)


def _name(tag: str) -> str:
    """A name without its namespace, which HTML does not know."""
    return tag.rpartition("}")[2]


def _settle_attributes(element: ET.Element) -> None:
    """Attributes without namespaces, with the declarations of the style, and colours that have a meaning."""
    settled: dict[str, str] = {}
    for key, value in element.attrib.items():
        if key == "style":
            settled |= _declarations(value)
        else:
            settled[_name(key)] = value
    element.attrib.clear()
    element.attrib |= {key: MEANING.get(value, value) for key, value in settled.items()}


def _declarations(style: str) -> dict[str, str]:
    """The declarations of a style that may be attributes; of `font`, the size."""
    found: dict[str, str] = {}
    for part in style.split(";"):
        key, _, value = (piece.strip() for piece in part.partition(":"))
        if key == "font":
            size = re.search(r"([\d.]+)px", value)
            if size:
                found["font-size"] = size[1]
        elif key in ALLOWED:
            found[key] = value.removesuffix("px") if key == "font-size" else value
    return found
