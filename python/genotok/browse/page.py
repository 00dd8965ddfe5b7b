"""The page: tokenizers, style and script in one file of HTML."""

from __future__ import annotations

import html
import os
import string
from importlib.resources import files
from typing import TYPE_CHECKING

from genotok import __version__
from genotok.browse.description import describe
from genotok.errors import ArgumentError
from genotok.files.kinds import TOKEN_PAGE
from genotok.files.outputs import Existing, output_file
from genotok.webpage import FRAME_STYLE, embedded, policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genotok.tokenizer import Tokenizer

__all__ = ["DEFAULT_TITLE", "MAX_PAGE_BYTES", "MAX_SEQUENCE", "browse_page", "write_page"]

SCRIPTS = (
    "reading.js", "encoding.js", "tokenizer.js", "elements.js", "tokens.js", "lengths.js", "search.js",
    "views.js", "app.js",
)  # fmt: skip
"""In the order in which they use each other."""

DEFAULT_TITLE = "Tokens of a sequence"
MAX_TOKENIZERS = 26
MAX_SEQUENCE = 1_000_000
"""Characters of a text at most, titles of records among them."""

MAX_PAGE_BYTES = 32_000_000


def browse_page(tokenizers: Mapping[str, Tokenizer], sequence: str = "", *, title: str | None = None) -> str:
    """The page of these tokenizers, as HTML.

    Args:
        tokenizers: Name to tokenizer, 1 to 26 of them.
        sequence: What the page shows at first: a sequence, or the text of a FASTA or FASTQ file; 1,000,000
            characters at most.
        title: The title of the page; None for "Tokens of a sequence".

    Raises:
        ArgumentError: There is no tokenizer or more than 26; the page cannot encode with one of them;
            the sequence is too long; or the page would have more than 32 MB.
    """
    if not 1 <= len(tokenizers) <= MAX_TOKENIZERS:
        raise ArgumentError(f"tokenizers: 1 to {MAX_TOKENIZERS} are expected, not {len(tokenizers)}")
    if len(sequence) > MAX_SEQUENCE:
        raise ArgumentError(f"sequence: a page takes {MAX_SEQUENCE:,} characters at most; give a part of it")
    described = [describe(name, tokenizer) for name, tokenizer in tokenizers.items()]
    style = FRAME_STYLE + _read("browse.css")
    script = "".join(map(_read, SCRIPTS))
    made = string.Template(_read("browse.html")).substitute(
        policy=policy(style, script),
        version=html.escape(__version__),
        title=html.escape(_printable(title or DEFAULT_TITLE)),
        style=style,
        script=script,
        data=embedded({"tokenizers": described, "sequence": sequence}),
    )
    if len(made) > MAX_PAGE_BYTES:
        raise ArgumentError(
            f"the page would have {len(made) / 1e6:.0f} MB, more than {MAX_PAGE_BYTES / 1e6:.0f}; name fewer "
            "tokenizers, or smaller ones (genotok truncate)"
        )
    return made


def write_page(
    path: str | os.PathLike[str],
    tokenizers: Mapping[str, Tokenizer],
    sequence: str = "",
    *,
    title: str | None = None,
    force: bool = False,
) -> int:
    """Write the page of these tokenizers, atomically; returns its size in bytes.

    Args:
        path: The file to write, or `-` for standard output.
        tokenizers: As in `browse_page`, as are `sequence` and `title`.
        sequence: See there.
        title: See there.
        force: Replace a file that is there; the very same page may always be there.

    Raises:
        ArgumentError: As `browse_page`; or another file is there, and `force` is not given.
        OSError: The file cannot be written.
    """
    with output_file(os.fspath(path), TOKEN_PAGE, existing=Existing.COMPARE, force=force) as target:
        content = browse_page(tokenizers, sequence, title=title).encode()
        target.write(content)
    return len(content)


def _read(name: str) -> str:
    """A file of the page."""
    return (files("genotok.browse") / "page" / name).read_text(encoding="utf-8")


def _printable(text: str) -> str:
    """A text with a sign for each character that is not printable."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
