"""Goes through the release checklist: `python -m release.checklist [--only NAME...]`. It publishes nothing.

The exit code is 1 if something is missing. What needs a person with the accounts is only listed.
"""

from __future__ import annotations

import argparse
import re

from release.checks import CHECKS, ROOT, Point

SIGNS = {"ok": "ok", "missing": "missing", "person": "needs a person"}


def main() -> None:
    """Print each point and its state."""
    parser = argparse.ArgumentParser(prog="python -m release.checklist", description="The release checklist.")
    names = [check.__name__ for check in CHECKS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="only these points")
    wanted = parser.parse_args().only
    points = []
    for check in CHECKS:
        if check.__name__ in wanted:
            points.append(check())
            show(points[-1])
    if wanted == names:
        judged = {point.name for point in points}
        for point in by_hand():
            if point.name not in judged:
                show(point)
    missing = [point.name for point in points if point.state == "missing"]
    if missing:
        raise SystemExit(f"\nnot ready: {', '.join(missing)}")
    print("\nnothing is missing; docs/release.md says what a person does now")


def by_hand() -> list[Point]:
    """The steps of docs/release.md that no program can check."""
    text = (ROOT / "docs" / "release.md").read_text(encoding="utf-8")
    steps = re.findall(r"^- \[ \] \*\*(.+?)\.\*\* (.+)$", text, re.MULTILINE)
    return [Point("person", name.lower(), re.sub(r"\[(.+?)\]\(.+?\)", r"\1", what)) for name, what in steps]


def show(point: Point) -> None:
    """Print a point as it is known."""
    print(f"{SIGNS[point.state]:<15} {point.name:<18} {point.what}", flush=True)


if __name__ == "__main__":
    main()
