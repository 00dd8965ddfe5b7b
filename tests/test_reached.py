"""Coverage: the sums of the two reports, the table, and what is missing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from tests.support import reached
from tests.support.reached import Reached

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_files_of_the_core_are_summed_by_module() -> None:
    def file(name: str, lines: int, covered: int) -> dict[str, Any]:
        summary = {"lines": {"count": lines, "covered": covered}, "branches": {"count": 4, "covered": 3}}
        return {"filename": str(name), "summary": summary}

    source = reached.ROOT / "rust" / "src"
    files = [
        file(f"{source}/bpe/encode.rs", 10, 9),
        file(f"{source}/bpe.rs", 20, 10),
        file(f"{source}/testing/naive.rs", 50, 1),
        file(f"{source}/threads.rs", 1, 1),
        file("/elsewhere/lib.rs", 99, 0),
    ]
    found = reached.rust_parts({"data": [{"files": files}]})
    assert found == {"bpe": Reached(30, 19, 8, 6), "threads": Reached(1, 1, 4, 3)}
    assert reached.table(found).splitlines()[2:] == [
        "| `bpe` | 30 | 63.3 % | 8 | 75.0 % |",
        "| `threads` | 1 | 100.0 % | 4 | 75.0 % |",
        "| all | 31 | 64.5 % | 12 | 75.0 % |",
    ]


def test_files_of_python_are_summed_by_package() -> None:
    def file(lines: int, covered: int) -> dict[str, Any]:
        return {
            "summary": {
                "num_statements": lines,
                "covered_lines": covered,
                "num_branches": 0,
                "covered_branches": 0,
            }
        }

    files = {
        "python/genotok/cli/app.py": file(5, 5),
        "python/genotok/cli/commands/info.py": file(5, 0),
        "/opt/genotok/python/genotok/errors.py": file(2, 1),
    }
    found = reached.python_parts({"files": files})
    assert found == {"cli": Reached(10, 5, 0, 0), "errors": Reached(2, 1, 0, 0)}
    assert "| `cli` | 10 | 50.0 % | 0 |  |" in reached.table(found)


def test_the_table_replaces_the_one_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "coverage.md"
    page.write_text("<!-- rust -->\nold\n<!-- /rust -->\n<!-- python -->\nkept\n<!-- /python -->\n")
    monkeypatch.setattr(reached, "PAGE", page)
    reached.write("rust", {"io": Reached(2, 1, 0, 0)})
    told = page.read_text()
    assert "old" not in told
    assert "| `io` | 2 | 50.0 % | 0 |  |" in told
    assert told.endswith("<!-- python -->\nkept\n<!-- /python -->\n")


def test_a_missing_tool_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert reached.main(["rust"]) == 1
    message = capsys.readouterr().err
    assert "cargo install cargo-llvm-cov" in message
    assert message.count("\n") == 1
