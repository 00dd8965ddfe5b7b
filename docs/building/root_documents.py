"""Documents of the repository's root as pages of the site, and links that work in both places.

A page such as `contributing/architecture.md` has a line `<!-- document: ARCHITECTURE.md -->`, and on a code
host a link to it. In the site its text is that of the document. Links are written for the code host, relative
to the file they stand in. Here those of a root document become relative to its page, and those that name one
lead to its page. A link to any other file of the repository, such as a licence, offers the file; one to a
document without a page is text.
"""

import os
import re
import shutil
from pathlib import Path

from sphinx.application import Sphinx

DOCUMENT = re.compile(r"<!-- document: (?P<name>[\w./-]+) -->")
LINK = re.compile(
    r"(?P<start>!?\[(?P<text>[^\[\]]*)\]\()(?P<target>(?!https?:|mailto:|#)[^)#\s]+)(?P<anchor>#[^)]*)?(?P<end>\))"
)
# What code hosts need not see.
APPENDED = {"decisions/README": "\n```{toctree}\n:hidden:\n:glob:\n\n[0-9]*\n```\n"}
IMAGE = re.compile(
    r"(?P<start>\b(?:src|srcset)=\")(?P<target>(?!https?:|data:)[^\"]+)(?P<anchor>)(?P<end>\")"
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Read the pages of root documents when the build starts; replace sources as they are read."""
    app.connect("builder-inited", _find_pages)
    app.connect("source-read", _replace_source)
    app.connect("build-finished", _copy_figures)
    return {"parallel_read_safe": True}


def _find_pages(app: Sphinx) -> None:
    """Remember which document each page has: both as paths below the repository's root."""
    docs = Path(app.srcdir)
    found = {}
    for page in docs.rglob("*.md"):
        if "_build" not in page.parts and (match := DOCUMENT.search(page.read_text(encoding="utf-8"))):
            found[match["name"]] = page.relative_to(docs.parent).as_posix()
    app.env.root_documents = found  # type: ignore[attr-defined]


def _copy_figures(app: Sphinx, error: Exception | None) -> None:
    """Copy the figures that HTML in a document names, which Sphinx does not see."""
    if error is None and app.builder.format == "html":
        folder = Path(app.outdir, "figures")
        folder.mkdir(exist_ok=True)
        for figure in Path(app.srcdir, "figures").glob("*.svg"):
            shutil.copy(figure, folder)


def _replace_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """The text of a page, with the links of the site."""
    root = Path(app.srcdir).parent
    pages: dict[str, str] = app.env.root_documents  # type: ignore[attr-defined]
    path = Path(app.env.doc2path(docname)).relative_to(root).as_posix()
    stands_in, text = path, source[0]
    for document, page in pages.items():
        if page == path:
            app.env.note_dependency(str(root / document))
            stands_in, text = document, (root / document).read_text(encoding="utf-8")
    source[0] = relocated(text, stands_in, path, pages) + APPENDED.get(docname, "")


def relocated(text: str, stands_in: str, page: str, pages: dict[str, str]) -> str:
    """`text` with the relative links of the file `stands_in` as the page `page` needs them."""

    def link(match: re.Match[str]) -> str:
        wanted = os.path.normpath(os.path.join(os.path.dirname(stands_in), match["target"]))
        wanted = pages.get(wanted, wanted)
        if wanted.endswith(".md") and not wanted.startswith("docs/"):
            return match["text"]
        target = os.path.relpath(wanted, os.path.dirname(page))
        return f"{match['start']}{target}{match['anchor'] or ''}{match['end']}"

    return IMAGE.sub(link, LINK.sub(link, text))
