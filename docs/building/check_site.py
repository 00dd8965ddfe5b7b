"""Check the built site without network, and count what is in it: `python docs/building/check_site.py FOLDER`.

Every link inside the site must lead to a page, and to an anchor of it. No page may load anything from
another place. Links to other sites are counted, not opened.
"""

from __future__ import annotations

import json
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

# Attributes whose file the browser loads with the page.
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "srcset", "video": "src"}
# Relations of <link> that name a page and load nothing.
NAMED = {"next", "prev", "index", "search", "genindex", "canonical", "author", "copyright", "top"}


class Page(HTMLParser):
    """The anchors, links and loaded files of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names."""
        given = dict(attrs)
        self.anchors.update(value for key in ("id", "name") if (value := given.get(key)))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if value := given.get(LOADED.get(tag, "")):
            (self.links if given.get("rel") in NAMED else self.loaded).append(value)


class Found(NamedTuple):
    """What a site holds, and what is wrong in it, one line each."""

    pages: int
    inside: int
    outside: int
    faults: list[str]


def check(folder: Path) -> Found:
    """Check all pages of a site."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    inside = outside = 0
    faults = []
    for path, page in pages.items():
        for link in page.links + page.loaded:
            parts = urlsplit(link)
            if parts.scheme in {"data", "javascript"}:
                continue
            if parts.scheme or parts.netloc:
                outside += 1
                if link in page.loaded:
                    faults.append(f"{path.relative_to(folder)}: loads {link} from another site")
                continue
            inside += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                faults.append(f"{path.relative_to(folder)}: {link} is missing")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                faults.append(f"{path.relative_to(folder)}: {link} is no anchor of that page")
    return Found(len(pages), inside, outside, faults)


def main() -> int:
    """Print the counts and the faults; 1 if there is any fault."""
    folder = Path(sys.argv[1]).resolve()
    found = check(folder)
    counts = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
    notebooks = counts["notebooks"]
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    from tests.support.blocks import all_blocks

    code = all_blocks()
    ran = sum(block.reason is None for block in code)
    print(
        f"{found.pages} pages: {found.inside:,} links inside the site checked, {len(found.faults)} broken; "
        f"{found.outside:,} links to other sites not opened\n"
        f"{len(notebooks)} notebooks executed in {sum(notebooks.values()):.0f} s; "
        f"{ran} code blocks that `make test` runs, {len(code) - ran} marked as not run"
    )
    print(*found.faults, sep="\n", end="\n" if found.faults else "", file=sys.stderr)
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
