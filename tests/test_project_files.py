"""One sentence describes genotok everywhere; citation, forms and the page on versions are valid."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from benchmarks import table

import genotok
from genotok.cli.app import DESCRIPTION
from genotok.dataset import manifest
from genotok.run_records import version_1
from genotok.run_records.schemas import BenchmarkRecord

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def unwrapped(text: str) -> str:
    """Text with each run of white space as one space."""
    return " ".join(text.split())


@pytest.mark.parametrize("document", ["README.md", "CITATION.cff"])
def test_documents_say_the_sentence_of_the_package(document: str) -> None:
    assert PROJECT["description"] == DESCRIPTION
    assert unwrapped((genotok.__doc__ or "").partition("\n\n")[0]) == DESCRIPTION
    assert DESCRIPTION in unwrapped(read(document))


def test_the_speed_in_the_sentence_is_that_of_the_newest_record() -> None:
    record = BenchmarkRecord.from_json(table.newest(kinds=("encode",)))
    case = next(case for case in record.cases if case["key"] == "chromosome")
    ours = next(one for one in case["results"] if one["engine"] == "genotok" and one["threads"] == 1)
    speed = case["bases"] / ours["median_seconds"] / 1e9
    assert re.findall(r"([\d.]+) Gbp/s on one CPU core", DESCRIPTION) == [f"{speed:.1f}"]


def test_the_version_to_cite_is_the_version_of_the_package() -> None:
    (cited,) = re.findall(r"^version: (.+)$", read("CITATION.cff"), re.MULTILINE)
    (built,) = re.findall(r'^version = "(.+)"$', read("Cargo.toml"), re.MULTILINE)
    assert cited == built
    assert f"\n## [{built}]" in read("CHANGELOG.md")
    assert "\n## [Unreleased]\n" in read("CHANGELOG.md")


FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


@pytest.mark.parametrize("path", [ROOT / "CITATION.cff", *FORMS], ids=lambda path: path.name)
def test_citation_and_forms_are_valid(path: Path) -> None:
    program = shutil.which("check-jsonschema")
    if program is None:
        pytest.skip("check-jsonschema is not installed")
    kinds = {"CITATION.cff": "citation-file-format", "config.yml": "github-issue-config"}
    schema = f"vendor.{kinds.get(path.name, 'github-issue-forms')}"
    done = subprocess.run(
        [program, "--builtin-schema", schema, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_on_versions_has_the_versions_of_the_formats() -> None:
    page = read("docs/versioning.md")
    rows = dict(re.findall(r"^\| ([^|]+?) \| (\d+) \|", page, re.MULTILINE))

    def rust(path: str) -> str:
        (number,) = re.findall(r"const VERSION: u\d+ = (\d+);", read(path))
        return number

    assert rows == {
        "manifest of encoded shards, `manifest.json`": str(manifest.VERSION),
        "records of benchmarks, studies, comparisons and runs": str(version_1.VERSION),
        "packed corpus, `.pack`": rust("rust/src/corpus/packed.rs"),
        "manifest of packed shards": rust("rust/src/corpus/folder/manifest.rs"),
        "checkpoint of `train-bpe`": rust("rust/src/bpe/train/checkpoint.rs"),
    }
