"""One sentence describes genotok everywhere; citation, forms and the page on versions are valid."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from benchmarks import gue_table, matched_tables, table
from benchmarks.train import OURS, RIVAL, ratio

import genotok
from genotok.cli.app import DESCRIPTION
from genotok.dataset import manifest
from genotok.run_records import version_1
from genotok.run_records.schemas import BaselineRecord, BenchmarkRecord
from tests.support import encoder_cases

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def unwrapped(text: str) -> str:
    """Text with each run of white space as one space."""
    return " ".join(text.split())


def record(kind: str) -> BenchmarkRecord:
    return BenchmarkRecord.from_json(table.newest(kinds=(kind,)))


def result(kind: str, key: str, engine: str = OURS, threads: int = 1) -> dict[str, Any]:
    """What an engine did in a case of the newest record; training names no threads."""
    case = next(case for case in record(kind).cases if case["key"] == key)
    (found,) = [
        one for one in case["results"] if (one["engine"], one.get("threads", threads)) == (engine, threads)
    ]
    return {"bases": case.get("bases"), **found}


@pytest.mark.parametrize("document", ["README.md", "CITATION.cff", "docs/index.md"])
def test_documents_say_the_sentence_of_the_package(document: str) -> None:
    assert PROJECT["description"] == DESCRIPTION
    assert unwrapped((genotok.__doc__ or "").partition("\n\n")[0]) == DESCRIPTION
    assert DESCRIPTION in unwrapped(read(document))


def test_the_speed_in_the_sentence_is_that_of_the_newest_record() -> None:
    ours = result("encode", "chromosome")
    speed = ours["bases"] / ours["median_seconds"] / 1e9
    assert re.findall(r"([\d.]+) Gbp/s on one CPU core", DESCRIPTION) == [f"{speed:.1f}"]


def ahead(sets: list[tuple[float, float]]) -> int:
    """In how many sets the first is higher than the second."""
    return sum(one > other for one, other in sets)


def test_the_reasons_in_the_readme_are_those_of_records_and_tests() -> None:
    stated = dict(re.findall(r"^- \*\*(.+?)\.\*\* [^*]*\*\*(.+?)\*\*", read("README.md"), re.MULTILINE))
    trained = [result("train", "chr20-cut", engine) for engine in (OURS, RIVAL)]
    digests = {run["merges_sha256"] for one in trained for run in one["runs"]}
    assert len(digests) == 1
    windows = [result("encode", "windows", engine)["median_seconds"] for engine in (OURS, RIVAL)]
    large = next(case for case in record("shards-large").cases if case["bases"] == 10**10)
    (model,) = [one for one in table.newest(kinds=("gue",))["records"] if not one["scratch"]]
    sets = [(one["baseline"]["test"][one["metric"]], one["mean"]) for one in model["sets"]]
    assert stated == {
        "Exact": f"{trained[0]['runs'][0]['merges']:,}",
        "Fast": ratio(windows[1], windows[0]),
        "Larger than memory": f"{large['peak_bytes'] / 1e9:.2f} GB",
        "The published model": f"{encoder_cases.HIDDEN[torch.float32]:.0e}".replace("e-0", "e-"),
        "Comparable results": f"{ahead(sets)} of {len(sets)}",
    }


def test_the_first_screen_of_the_readme_shows_each_use() -> None:
    lines = read("README.md").splitlines()
    assert len(lines) <= 125
    screen = "\n".join(lines[:48])
    for shown in (
        "pip install",
        "train-bpe",
        "encode",
        "pretrain",
        "convert",
        "finetune",
        "predict",
        "make test",
    ):
        assert re.search(rf"(genotok |`|^){shown}", screen, re.MULTILINE), shown


def test_the_figure_is_drawn_from_the_newest_records() -> None:
    figure = runpy.run_path(str(ROOT / "docs" / "figures" / "draw_speed.py"))
    for name, palette in figure["SCHEMES"].items():
        assert read(f"docs/figures/speed-{name}.svg") == figure["figure"](palette), "run `make tables`"
        assert f"docs/figures/speed-{name}.svg" in read("README.md")


def test_the_figure_of_gue_is_drawn_from_the_newest_record() -> None:
    figure = runpy.run_path(str(ROOT / "docs" / "figures" / "draw_gue.py"))
    found = gue_table.completed(BaselineRecord.from_json(table.newest(kinds=("baseline",))))
    assert read("docs/figures/gue.svg") == figure["draw"](found), "run `make tables`"


def test_the_figure_of_tokenizers_is_drawn_from_the_newest_records() -> None:
    figure = runpy.run_path(str(ROOT / "docs" / "figures" / "draw_tokenizers.py"))
    try:
        record = table.newest(kinds=("matched",))
    except FileNotFoundError:
        pytest.skip("the matched trial has no record here")
    found = matched_tables.with_others(BenchmarkRecord.from_json(record))
    assert read("docs/figures/tokenizers.svg") == figure["draw"](found), "run `make tables`"


def test_the_labelled_example_is_cut_from_the_genomes() -> None:
    genome = {
        "phage": "".join(read("genomes/lambda_phage.fa").split("\n")[1:]).upper(),
        "yeast": "".join(read("genomes/yeast_chrI.fa").split("\n")[1:]).upper(),
    }
    rows = []
    for split in ("train", "dev", "test"):
        head, *lines = read(f"genomes/organism/{split}.csv").splitlines()
        assert head == "sequence,label"
        rows += [(label, sequence) for sequence, label in (line.split(",") for line in lines)]
    assert sorted(rows) == sorted(
        (label, bases[at : at + 200]) for label, bases in genome.items() for at in range(0, 40_000, 200)
    )


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
