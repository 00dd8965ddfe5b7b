"""Records of runs: what they say of their origin, and that old and new forms are read alike."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

import genotok
from genotok.errors import ArgumentError
from genotok.run_records.provenance import Provenance
from genotok.run_records.reading import read_record
from genotok.run_records.schemas import VERSION, StudyRecord
from genotok.run_records.version_1 import upgraded
from genotok.study import named_kmers, read_genome, study
from tests.support import dna

GOLDEN = Path(__file__).resolve().parent / "golden" / "records"


def test_a_study_from_python_says_where_it_comes_from(tmp_path: Path) -> None:
    path = dna.write_fasta(tmp_path / "one.fa", ["ACGTTGCA" * 300])
    record = study([named_kmers("bases")], [read_genome("one", [path])])
    assert (record["kind"], record["version"]) == ("study", VERSION)
    made = Provenance.from_json(record["provenance"])
    assert made.machine.keys() == {"cpu", "cpu_cores", "memory_bytes", "system"}
    assert made.software["genotok"] == genotok.__version__
    assert made.inputs.keys() == {"tokenizers", "genomes"}
    assert len(made.inputs["genomes"]["one"][0]) == 64
    assert (made.seeds, len(made.date)) == ((0,), 10)
    text = StudyRecord.from_json(record).text()
    assert json.loads(text) == record
    assert platform.node() not in text
    assert str(tmp_path) not in text


def test_a_record_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    record = StudyRecord.from_json(read_record(GOLDEN / "study.json"))
    assert record.provenance.command.startswith("genotok study ")
    (tmp_path / "study.json").write_text(record.text())
    assert read_record(tmp_path / "study.json") == record.to_json()
    assert StudyRecord.from_json(record.to_json()) == record


def test_records_inside_a_record_are_converted_too() -> None:
    old = json.loads((GOLDEN / "compared" / "compared.json").read_text())
    new = upgraded(old)
    assert [one["finetune"]["version"] for one in new["tokenizers"]] == [VERSION] * len(old["tokenizers"])
    assert new["provenance"]["seeds"] == old["seeds"]
    assert isinstance(new["caveats"], list)


def test_a_record_of_a_newer_version_is_refused() -> None:
    record = read_record(GOLDEN / "study.json")
    with pytest.raises(ArgumentError, match="newer genotok"):
        StudyRecord.from_json({**record, "version": VERSION + 1})
    with pytest.raises(KeyError, match="measures"):
        StudyRecord.from_json({key: value for key, value in record.items() if key != "measures"})
