"""Every example in the README and in the guides runs as it stands, top to bottom, in one folder."""

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
LEFT_OUT = ("make ", "pip install", "python3 -m venv")


@pytest.mark.timeout(900)  # of which each block has its own share, below
@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "docs/guides/shell.md",
        "docs/guides/python.md",
        "docs/guides/training.md",
        "docs/guides/shards.md",
        "docs/guides/columns.md",
        "docs/guides/browse.md",
    ],
)
def test_every_example_runs(tmp_path: Path, document: str) -> None:
    """In order, as later examples read what earlier ones wrote."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = [(match["language"], match["code"]) for match in BLOCK.finditer(text)]
    blocks = [(language, code) for language, code in blocks if not code.startswith(LEFT_OUT)]
    assert len(blocks) >= 4
    (tmp_path / "genomes").symlink_to(ROOT / "genomes")
    before: dict[Path, bytes] = {}
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
        # No example replaces the tokenizer of an earlier one.
        assert {path: content for path, content in before.items() if path.read_bytes() != content} == {}, code
        before |= {path: path.read_bytes() for path in tmp_path.rglob("*.json") if "tokenizer" in path.name}
        before |= {path: path.read_bytes() for path in tmp_path.glob("*.json")}


def test_the_first_command_can_be_repeated(tmp_path: Path) -> None:
    """With other genomes, too: the tokenizer before is kept."""
    (tmp_path / "genomes").mkdir()
    for name in ("lambda_phage.fa", "yeast_chrI.fa"):
        (tmp_path / "genomes" / name).symlink_to(ROOT / "genomes" / name)
    code = next(
        line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if "train-bpe --vocab" in line
    )
    command = ["bash", "-c", code.replace("genotok", f"{sys.executable} -m genotok", 1)]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    made = (tmp_path / "tokenizer.json").read_bytes()
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (first.stdout.splitlines()[-1], again.stdout.splitlines()[-1]) == (
        "  written       tokenizer.json",
        "  written       tokenizer.json, as it was",
    )
    (tmp_path / "genomes" / "yeast_chrI.fa").unlink()
    other = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert other.stdout.endswith("tokenizer.json; the one before is kept as tokenizer.json.1\n")
    assert (tmp_path / "tokenizer.json.1").read_bytes() == made
    assert (tmp_path / "tokenizer.json").read_bytes() != made


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_named_exists(document: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    text = (ROOT / document).read_text(encoding="utf-8")
    named = re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE)
    assert named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]+))?\)", document.read_text(encoding="utf-8"))
    for target, anchor in links:
        file = document.parent / target if target else document
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


def test_every_decision_is_in_the_index() -> None:
    decisions = ROOT / "docs" / "decisions"
    files = sorted(path.name for path in decisions.glob("[0-9]*.md"))
    index = (decisions / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[(\d{4})\]\(([^)]+)\): (.+)$", index, re.MULTILINE)
    assert sorted(name for _, name, _ in listed) == files
    for number, name, title in listed:
        text = (decisions / name).read_text(encoding="utf-8")
        assert text.startswith(f"# {number}: {title}\n\nStatus: ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
