"""Shapes of the figures in `docs/concepts`: boxes, arrows and text in a palette for light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Canvas"]

# An SVG in an <img> follows the colour scheme of the element that shows it. Text outside boxes has a medium
# tone in both schemes, so that it can be read where a browser does not pass the scheme on.
STYLE = """
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#59636e;text-anchor:middle}
.in{fill:#1f2328}.left{text-anchor:start}.right{text-anchor:end}.strong{font-weight:bold}
.box{fill:#eef2f6;stroke:#8c959f}.a{fill:#d8e6fb;stroke:#5b8bd0}.b{fill:#fbe3cf;stroke:#c9803d}
.c{fill:#d9efdc;stroke:#5a9e66}.off{fill:none;stroke:#8c959f;stroke-dasharray:3 3}
.line{fill:none;stroke:#77818c;stroke-width:1.5}.thick{fill:none;stroke:#c9803d;stroke-width:4}
.head{fill:#77818c}.grid{fill:none;stroke:#77818c;stroke-opacity:.35}
.curve{fill:none;stroke:#3f7fd0;stroke-width:1.8}
@media (prefers-color-scheme:dark){text{fill:#9aa4af}.in{fill:#f0f3f6}.box{fill:#2a3038;stroke:#6b7580}
.a{fill:#1f3a5f;stroke:#5b8bd0}.b{fill:#57371b;stroke:#c9803d}.c{fill:#20452a;stroke:#5a9e66}
.curve{stroke:#6ea8ef}}
""".strip().replace("\n", "")


@dataclass
class Canvas:
    """An SVG of `width` by `height`, with a title for readers who do not see it."""

    width: int
    height: int
    title: str
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, content: str, kind: str = "") -> None:
        """A line of text with its baseline at y, centred at x unless the kind has `left` or `right`."""
        escaped = content.replace("&", "&amp;").replace("<", "&lt;")
        self.parts.append(f'<text x="{x:g}" y="{y:g}"{named(kind)}>{escaped}</text>')

    def box(
        self, x: float, y: float, width: float, content: str = "", kind: str = "box", height: float = 26
    ) -> None:
        """A rounded box with a label in its middle."""
        self.parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4"{named(kind)}/>'
        )
        if content:
            self.text(x + width / 2, y + height / 2 + 5, content, "in")

    def circle(self, x: float, y: float, content: str, kind: str = "box", radius: float = 20) -> None:
        """A state: a circle with a label in its middle."""
        self.parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}"{named(kind)}/>')
        self.text(x, y + 5, content, "in")

    def path(self, commands: str, kind: str = "line") -> None:
        """A line or curve, in the path language of SVG."""
        self.parts.append(f'<path d="{commands}"{named(kind)}/>')

    def arrow(self, commands: str, tip: tuple[float, float], toward: tuple[float, float]) -> None:
        """A path with a head at `tip` that points in the direction `toward`, a unit vector."""
        self.path(commands)
        (x, y), (dx, dy) = tip, toward
        left, right = (x - 8 * dx - 4 * dy, y - 8 * dy + 4 * dx), (x - 8 * dx + 4 * dy, y - 8 * dy - 4 * dx)
        points = " ".join(f"{one:g},{other:g}" for one, other in (tip, left, right))
        self.parts.append(f'<polygon points="{points}" class="head"/>')

    def svg(self) -> str:
        """The file."""
        opening = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" role="img">'
        )
        return "\n".join(
            [opening, f"<title>{self.title}</title>", f"<style>{STYLE}</style>", *self.parts, "</svg>", ""]
        )


def named(kind: str) -> str:
    """The attribute for a class, or nothing."""
    return f' class="{kind}"' if kind else ""
