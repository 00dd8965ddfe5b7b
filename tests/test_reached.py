"""Coverage: the sums of the two reports, the table, and what is missing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from tests.support import reached
from tests.support.reached import Reached

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_files_of_the_core_are_summed_by_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what is there for tests: a folder, and the end of a file."""
    monkeypatch.setattr(reached, "ROOT", tmp_path)
    code = "fn f() {\n    g();\n}\n"
    tests = "\n#[cfg(test)]\n#[allow(clippy::unwrap_used)]\nmod tests {\n    fn t() {}\n}\n"
    files = {
        "rust/src/bpe/encode.rs": (code + tests, "DA:1,4\nDA:2,0\nBRDA:2,0,0,7\nBRDA:2,0,1,-\nDA:8,1\n"),
        "rust/src/bpe.rs": (code, "DA:1,1\n"),
        "rust/src/testing/naive.rs": (code, "DA:1,1\n"),
        "rust/src/threads.rs": (code, "DA:2,0\nBRDA:2,0,0,0\n"),
        "lib.rs": (code, "DA:1,0\n"),
    }
    report = ""
    for name, (text, facts) in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        report += f"SF:{tmp_path / name}\nFN:1,f\n{facts}end_of_record\n"
    found = reached.rust_parts(report)
    assert found == {"bpe": Reached(3, 2, 2, 1), "threads": Reached(1, 0, 1, 0)}
    assert reached.table(found).splitlines()[2:] == [
        "| `bpe` | 3 | 66.7 % | 2 | 50.0 % |",
        "| `threads` | 1 | 0.0 % | 1 | 0.0 % |",
        "| all | 4 | 50.0 % | 3 | 33.3 % |",
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
