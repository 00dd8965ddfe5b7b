"""Docstrings as reStructuredText, and signatures with every keyword.

Docstrings are plain text in Google's style, with code in single backticks as in Markdown. Napoleon makes
lists of their sections. This then makes literals of the backticks, blocks of indented code, and escapes what
reStructuredText would take as markup. Functions that take `**options` of a `TypedDict` show its keywords.
"""

import inspect
import re
import sys
import typing
from typing import Any

from sphinx.application import Sphinx

CODE = re.compile(r"(?<![`:])`([^`\n]+)`(?!`)")
VERBATIM = re.compile(r"(``.+?``|:[\w:]+:`[^`]+`|^\s*:\w[^:]*:|^\s*\.\. .*)")
MARKUP = re.compile(r"(?<!\\)[*|](?! )|(?<=\w)_(?=\W|$)")
COLON = "\ue000"  # of no docstring
UNPACKED = re.compile(r"Unpack\[(\w+)\]")


class _Optional:
    """The default of a keyword, which its description says."""

    def __repr__(self) -> str:
        return "..."


OPTIONAL = _Optional()


def setup(app: Sphinx) -> dict[str, bool]:
    """Rewrite docstrings after napoleon, which has the default priority."""
    app.connect("autodoc-process-docstring", _hide_colons, priority=100)
    app.connect("autodoc-process-docstring", _process, priority=900)
    app.connect("autodoc-before-process-signature", _expand_keywords)
    app.connect("autodoc-skip-member", _is_left_out)
    return {"parallel_read_safe": True}


def _hide_colons(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Keep napoleon from reading the first line of a property as its type and a colon."""
    if what in {"attribute", "data", "property"} and lines:
        lines[0] = lines[0].replace(":", COLON)


def _process(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Rewrite `lines` in place."""
    lines[:] = rewritten([line.replace(COLON, ":") for line in lines])


def rewritten(lines: list[str]) -> list[str]:
    """Lines of a docstring as reStructuredText."""
    made: list[str] = []
    text = ""  # the last line of prose
    code: int | None = None  # the indentation of the block of code that the line is in
    doctest = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            doctest = False
        elif doctest or line.lstrip().startswith(">>>"):
            doctest = True
        elif code is not None and indent >= code:
            pass
        elif text.endswith(":") and made and not made[-1].strip() and indent >= _indent(text) + 4:
            code = indent
            made += [" " * _indent(text) + ".. code-block:: python", ""]
        else:
            code, text = None, line
            made.append(_prose(line))
            continue
        made.append(line)
    return made


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _prose(line: str) -> str:
    """One line of prose: literals, and no other markup."""
    parts = VERBATIM.split(CODE.sub(r"``\1``", line))
    parts[::2] = [MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    return "".join(parts)


def _expand_keywords(app: Sphinx, value: Any, bound: bool) -> None:
    """Put the keywords of a `TypedDict` in the place of `**options`."""
    function = inspect.unwrap(getattr(value, "__func__", value))
    if not inspect.isfunction(function) or hasattr(function, "__signature__"):
        return
    signature = inspect.signature(function)
    *others, last = [*signature.parameters.values()] or [None]
    if last is None or last.kind is not last.VAR_KEYWORD:
        return
    if typing.get_origin(last.annotation) is typing.Unpack:
        (keywords,) = typing.get_args(last.annotation)
    elif match := UNPACKED.search(str(last.annotation)):
        keywords = getattr(sys.modules[function.__module__], match[1])
    else:
        return
    expanded = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=OPTIONAL, annotation=kind)
        for name, kind in typing.get_type_hints(keywords).items()
    ]
    function.__signature__ = signature.replace(parameters=[*others, *expanded])  # type: ignore[attr-defined]


def _is_left_out(app: Sphinx, what: str, name: str, value: Any, skip: bool, options: Any) -> bool | None:
    """Leave out fields of named tuples, which the class describes as attributes."""
    return True if str(getattr(value, "__doc__", "")).startswith("Alias for field number") else None
