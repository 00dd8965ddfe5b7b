"""Every example in the README and in two guides runs as it stands, top to bottom, in one folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"```(?P<language>bash|python)\n(?P<code>.*?)```", re.DOTALL)

# What would build the package again; `make` targets are checked by name instead.
LEFT_OUT = ("make ", "python3 -m venv")


@pytest.mark.parametrize("document", ["README.md", "docs/training.md", "docs/shards.md"])
def test_every_example_runs(tmp_path: Path, document: str) -> None:
    """In order, as later examples read what earlier ones wrote."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = [(match["language"], match["code"]) for match in BLOCK.finditer(text)]
    blocks = [(language, code) for language, code in blocks if not code.startswith(LEFT_OUT)]
    assert len(blocks) >= 4
    (tmp_path / "genomes").symlink_to(ROOT / "genomes")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for language, code in blocks:
        program = ["bash", "-euo", "pipefail", "-c"] if language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*program, code],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_named_exists(document: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = (ROOT / document).read_text(encoding="utf-8")
    named = re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE)
    assert named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("document", sorted(path.name for path in ROOT.glob("*.md")))
def test_every_link_to_a_file_leads_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", text):
        assert (ROOT / target).exists(), target
