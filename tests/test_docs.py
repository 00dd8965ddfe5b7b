"""Every code block of the documents runs as it stands, top to bottom, in one folder per document."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import blocks
from tests.support.loaded import program_in

ROOT = blocks.ROOT
ALL = blocks.all_blocks()
DOCUMENTS = sorted({block.document for block in ALL if block.reason is None})

# What differs between two runs of a command: seconds, memory, speed, and threads of the machine.
MEASURED = re.compile(r"\d[\d.,]*(?= ?(?:s|ms|min|kB|MB|GB|[kMG]bp/s|threads?)\b)")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of all blocks, with the program that has loaded torch."""
    folder = tmp_path_factory.mktemp("bin")
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    found = {**os.environ, "PATH": path, "COLUMNS": "120"}
    with program_in(folder, found):
        yield found


@pytest.mark.timeout(900)  # of which each block has its own share, below
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_runs(tmp_path: Path, environment: dict[str, str], document: str) -> None:
    """In order, as later blocks read what earlier ones wrote; a console shows what its commands print."""
    (tmp_path / "genomes").symlink_to(ROOT / "genomes")
    before: dict[Path, bytes] = {}
    for block in (block for block in ALL if block.document == document and block.reason is None):
        program = [sys.executable, "-c"] if block.language == "python" else ["bash", "-euo", "pipefail", "-c"]
        done = subprocess.run(
            [*program, block.script],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=200,
            check=False,
        )
        where = f"{document}:{block.line}\n{block.code}\n{done.stdout}"
        assert done.returncode == 0, where
        printed = [MEASURED.sub("#", line).rstrip() for line in done.stdout.splitlines()]
        for line in block.shown:
            assert MEASURED.sub("#", line).rstrip() in printed, f"{line!r} is not printed: {where}"
        # No block replaces the tokenizer of an earlier one.
        assert {path: content for path, content in before.items() if path.read_bytes() != content} == {}, (
            where
        )
        before |= {path: path.read_bytes() for path in tmp_path.rglob("*.json") if "tokenizer" in path.name}
        before |= {path: path.read_bytes() for path in tmp_path.glob("*.json")}


def test_blocks_that_do_not_run_say_why() -> None:
    """And most run."""
    reasons = Counter(block.reason for block in ALL)
    assert set(reasons) - {None} <= set(blocks.REASONS)
    assert reasons[None] > 2 * (reasons.total() - reasons[None])


def test_a_block_has_a_language() -> None:
    """`text` for what is no code; commands and programs are not hidden in it."""
    hidden = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in blocks.documents()
        for line in blocks.code_without_language(path.read_text(encoding="utf-8"))
    ]
    assert hidden == []


def test_reasons_and_languages_are_found(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(
        "```bash\ntrue\n```\n\n<!-- not run: needs GUE -->\n```python\n1\n```\n\n"
        "- item\n\n  ```console\n  $ a\n  b\n  ```\n\n````text\n```bash\nno\n```\n````\n\n```\nplain\n```\n"
        "```bash\nmake run\n```\n\n<!-- before: gzip x -->\n```bash\nzcat x.gz\n```\n",
        encoding="utf-8",
    )
    found = blocks.blocks(document)
    assert [(block.language, block.reason, block.line) for block in found] == [
        ("bash", None, 1),
        ("python", "needs GUE", 6),
        ("console", None, 12),
        ("bash", "builds the package again", 26),
        ("bash", None, 31),
    ]
    assert (found[2].script, found[2].shown) == ("a", ["b"])
    assert found[4].script == "gzip x\nzcat x.gz\n"
    assert blocks.code_without_language(
        "```\ngenotok show A\n```\n```text\n$ ls\n```\n```text\nx\n```\n"
    ) == [
        "genotok show A",
        "$ ls",
    ]
