"""The README: its first command, its targets, and the links of all documents. `test_docs` runs its blocks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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


GENERATED = ("docs/_build", "docs/reference/cli/", "docs/reference/python/")
DOCUMENTS = [
    path
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    if not path.relative_to(ROOT).as_posix().startswith(GENERATED)
]


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
