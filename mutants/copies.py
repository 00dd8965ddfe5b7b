"""Copies of the project in which mutants are tried, below `build/mutants`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "mutants"


def copy_project(tree: Path, place: Callable[[str], str | None] = str, more: Iterable[str] = ()) -> None:
    """Copy the tracked files and `more` to `tree`, in place of what is there.

    Args:
        tree: The folder.
        place: Where a file goes, by its name; None leaves it out.
        more: Names of files that are not tracked.
    """
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    for name in {*filter(None, listed.stdout.split("\0")), *more}:
        where = place(name)
        if where is not None and (ROOT / name).is_file():
            (tree / where).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / where)
