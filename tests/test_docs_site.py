"""The documentation site builds without a warning, its links lead somewhere, and it is self-contained.

Its notebooks run in `make docs` alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from docs.building import check_site

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_the_site_builds_and_its_links_hold(tmp_path: Path) -> None:
    pytest.importorskip("furo", reason="needs the extra docs")
    command = [
        "-E",
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        "-d",
        str(tmp_path / "doctrees"),
        "docs",
        str(tmp_path / "site"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *command],
        cwd=ROOT,
        env={**os.environ, "GENOTOK_DOCS_NOTEBOOKS": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = check_site.check(tmp_path / "site")
    assert found.faults == []
    assert found.pages > 100
    assert found.inside > 10_000


def test_faults_of_a_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<link rel="stylesheet" href="https://cdn.example/style.css"><link rel="next" href="other.html">'
        '<a href="missing.html">a</a><a href="other.html#there">b</a><a href="other.html#no">c</a>'
        '<a href="https://example.org">d</a><a href="#nowhere">e</a><img src="data:image/png;base64,AA==">',
        encoding="utf-8",
    )
    (tmp_path / "other.html").write_text('<p id="there"></p>', encoding="utf-8")
    found = check_site.check(tmp_path)
    assert (found.pages, found.inside, found.outside) == (2, 5, 2)
    assert found.faults == [
        "index.html: missing.html is missing",
        "index.html: other.html#no is no anchor of that page",
        "index.html: #nowhere is no anchor of that page",
        "index.html: loads https://cdn.example/style.css from another site",
    ]
