"""Sections for MultiQC: their files, what they say, and a report made of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genotok import ArgumentError, Tokenizer, __version__
from genotok.corpus.check import check_files
from genotok.multiqc import SECTIONS, check_sections, section_files
from genotok.multiqc.checks import sample_names
from tests.support.program import fails, names, run

FASTA = ">r\n" + "ACGTTGCAACGGTTACAGATTACATTTAGGCCA" * 40 + "\n>n\nACGTNNNNRACGT\n"
COMMANDS = {
    "check": ["check", "genome.fa"],
    "encode": ["encode", "genome.fa", "-o", "out.bed", "--window", "100"],
    "study": ["study", "tokenizer.json", "genome.fa", "--kmers", "3"],
}
PLOTS = {"generalstats", "bargraph", "linegraph", "table"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sections of each command, below `qc`."""
    folder = tmp_path_factory.mktemp("multiqc")
    (folder / "genome.fa").write_text(FASTA)
    Tokenizer.train(folder / "genome.fa", vocab_size=40).save(folder / "tokenizer.json")
    (folder / "qc").mkdir()
    for arguments in COMMANDS.values():
        done = run(*arguments, "--quiet", "--multiqc", "qc/sample", folder=folder)
        assert done.returncode == 0, done.stderr
    return folder


def sections(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((folder / "qc").glob("*_mqc.json")):
        yield path.name, json.loads(path.read_text())


def test_each_command_writes_a_file_per_section_and_its_version(folder: Path) -> None:
    expected = {
        f"sample_{command}_{end}"
        for command, parts in SECTIONS.items()
        for end in (*(f"{part}_mqc.json" for part in parts), "mqc_versions.yml")
    }
    assert names(folder / "qc") == expected
    for path in (folder / "qc").glob("*.yml"):
        assert path.read_text() == f'genotok: "{__version__}"\n'


def test_sections_have_the_keys_that_multiqc_reads(folder: Path) -> None:
    found = dict(sections(folder))
    assert len({section["id"] for section in found.values()}) == len(found)
    for name, section in found.items():
        assert section["plot_type"] in PLOTS, name
        assert section["data"], name
        keys: set[str] = set()
        if section["plot_type"] != "linegraph":
            keys = {key for values in section["data"].values() for key in values}
        if section["plot_type"] == "generalstats":
            columns = {key: column for one in section["pconfig"] for key, column in one.items()}
            assert keys <= columns.keys()
            assert {column["namespace"] for column in columns.values()} == {"genotok"}
            continue
        assert section["parent_id"] == section["parent_name"] == "genotok"
        assert {"id", "title"} <= section["pconfig"].keys()
        assert section["section_name"]
        assert section["description"].endswith(".")
        if section["plot_type"] == "bargraph":
            assert keys <= section["categories"].keys()
        if section["plot_type"] == "table":
            assert keys <= section["headers"].keys()


def test_sections_say_what_the_commands_found(folder: Path) -> None:
    found = dict(sections(folder))
    total = 33 * 40 + 13
    general = found["sample_encode_general_mqc.json"]["data"]["sample"]
    lines = (folder / "out.bed").read_text().splitlines()
    assert general["encode_symbols"] == total / 1e6
    assert general["encode_tokens"] == len(lines) / 1e6
    assert general["encode_unknown"] == pytest.approx(100 * 5 / total)
    symbols = found["sample_encode_symbols_mqc.json"]["data"]["sample"]
    assert list(symbols.values()) == [total - 5, 4, 1]
    checked = found["sample_check_symbols_mqc.json"]["data"]["genome"]
    assert (sum(checked.values()), checked["N"], checked["ambiguity codes"]) == (total, 4, 1)
    assert found["sample_check_general_mqc.json"]["data"]["genome"]["check_records"] == 2
    studied = found["sample_study_measures_mqc.json"]["data"]
    assert list(studied) == ["genome, tokenizer", "genome, kmer:3", "genome, kmer:3:no-overlap"]
    assert studied["genome, tokenizer"]["vocab_size"] == 40
    lengths = found["sample_study_lengths_mqc.json"]["data"]
    assert list(lengths) == ["genome, tokenizer"]
    assert sum(share for _, share in lengths["genome, tokenizer"]) == pytest.approx(100, abs=0.1)
    xs = [length for length, _ in lengths["genome, tokenizer"]]
    assert xs == sorted(xs)


def test_files_are_neither_replaced_nor_mistaken(folder: Path, tmp_path: Path) -> None:
    arguments = ["check", str(folder / "genome.fa"), "-q", "--multiqc"]
    before = {path: path.read_bytes() for path in (folder / "qc").iterdir()}
    fails(run(*arguments, "qc/sample", folder=folder), "is there already; --force replaces it")
    assert run(*arguments, "qc/sample", "--force", folder=folder).returncode == 0
    assert {path: path.read_bytes() for path in (folder / "qc").iterdir()} == before
    for prefix in ("-", "qc/", "qc"):
        fails(run(*arguments, prefix, folder=folder), f"multiqc={prefix}", "such as qc/sample")
    fails(run(*arguments, "no/such", folder=folder), "does not exist; make it first")
    (tmp_path / "a_check_general_mqc.json").write_text('{"id": "of another program"}')
    fails(run(*arguments, "a", "--force", folder=tmp_path), "is not a section of genotok for MultiQC")
    assert names(tmp_path) == {"a_check_general_mqc.json"}
    with (
        pytest.raises(ArgumentError, match="is read by this command"),
        section_files(
            "check",
            str(folder / "qc/sample"),
            inputs=[str(folder / "qc/sample_check_mqc_versions.yml")],
            force=True,
        ),
    ):
        pass


def test_nothing_is_written_without_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(FASTA)
    with section_files("check", None) as files:
        files.write(check_sections(check_files(tmp_path / "a.fa")))
    assert names(tmp_path) == {"a.fa"}


def test_defects_are_counted_also_where_check_fails(tmp_path: Path) -> None:
    (tmp_path / "bad.fa").write_text(">a\nACGT\nAC!T\n")
    assert run("check", "bad.fa", "-q", "--multiqc", "bad", folder=tmp_path).returncode == 1
    found = json.loads((tmp_path / "bad_check_general_mqc.json").read_text())
    assert found["data"]["bad"]["check_errors"] == 1


def test_samples_are_files_without_endings() -> None:
    given = ["x/a.fa.gz", "b.fastq", "c/d.fa", "/e/d.fna.zst", "v1.2", ".fa"]
    assert list(sample_names(given).values()) == ["a", "b", "c | d", "e | d", "v1.2", ".fa"]


def test_multiqc_makes_a_report_of_them(folder: Path, tmp_path: Path) -> None:
    multiqc = shutil.which("multiqc")
    if multiqc is None:
        pytest.skip("MultiQC is not installed; `make recipes` installs it")
    command = [multiqc, str(folder / "qc"), "-o", str(tmp_path), "--strict"]
    done = subprocess.run(
        [*command, "--no-version-check"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "multiqc_data" / "multiqc_data.json").read_text())
    plots = {f"genotok_{command}_{name}" for command, parts in SECTIONS.items() for name in parts}
    assert {f"{plot}_plot" for plot in plots if "general" not in plot} <= report["report_plot_data"].keys()
    lengths = report["report_plot_data"]["genotok_study_lengths_plot"]["datasets"][0]["lines"]
    for line in lengths:
        assert line["pairs"] == sorted(line["pairs"])
    versions = (tmp_path / "multiqc_data" / "multiqc_software_versions.txt").read_text()
    assert f"genotok\t{__version__}" in versions
