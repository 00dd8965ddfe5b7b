"""The benchmarks measure what they say, and the README's table says what the record says."""

from __future__ import annotations

import json
import platform
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from benchmarks import encode, encoder, machine, measure, table, train
from benchmarks.child import Child
from benchmarks.engines import ENGINES, Corpus
from benchmarks.inputs import Inputs, compare
from benchmarks.inputs import markdown as inputs_markdown

import genotok
from genotok import _native
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import BenchmarkRecord
from genotok.tokenizer import reference
from tests.support import dna

if TYPE_CHECKING:
    from benchmarks.encoders import Job

EXACT = [name for name, engine in ENGINES.items() if engine.exact]
SEQUENCES = ["ACGTTGCAACGGTTACATTTTTTTTGATTACANNACGT" * 9, "GATTACA" * 40]


def run_of(seconds: float, digest: str = "d") -> measure.Run:
    """Figures as a child would give them."""
    return measure.Run(12, digest, seconds, seconds + 0.2, seconds * 1.9, 0.1, 250_000_000)


def case_of(key: str, seconds: dict[str, float]) -> dict[str, Any]:
    """A case as it stands in a record."""
    results = [train.summary(name, [run_of(value), run_of(2 * value)]) for name, value in seconds.items()]
    return {
        "key": key,
        "title": f"title of {key}",
        "vocab_size": 4096,
        "caveats": "Much.",
        "results": results,
    }


@pytest.mark.parametrize("name", EXACT)
def test_every_engine_gives_the_merges_of_the_reference(tmp_path: Path, name: str) -> None:
    assert ENGINES[name].available()
    corpus = Corpus((dna.write_fasta(tmp_path / "dna.fa", SEQUENCES),), 50)
    words = [word for sequence in SEQUENCES for word in reference.words_of(sequence, 50)]
    assert list(corpus.words()) == words
    training = ENGINES[name].train(corpus, 30, 1)
    assert training.merges == reference.train(words, 30)
    assert training.seconds > 0


@pytest.mark.parametrize("packed", [False, True])
def test_many_files_are_measured_beside_one_of_the_same_content(packed: bool) -> None:
    cases = compare(Inputs(7, 300, packed), 1, lambda _line: None)
    assert [case["threads"] for case in cases] == [1, 2]
    for case in cases:
        runs = case["one"]["runs"] + case["many"]["runs"]
        assert len({run["merges_sha256"] for run in runs}) == 1
        assert runs[0]["merges"] > 100
    record = BenchmarkRecord(kind="inputs", provenance=machine.provenance(), cases=cases, more={"load": 0.1})
    title = "7 packed shards of 300 bases" if packed else "7 files of 300 bases"
    assert f"| {title} | 2 | " in inputs_markdown(record)


@pytest.mark.parametrize("name", EXACT)
def test_a_training_is_measured_in_a_child(tmp_path: Path, name: str) -> None:
    corpus = Corpus((dna.write_fasta(tmp_path / "dna.fa", SEQUENCES),), None)
    run = measure.train(name, corpus, 30, 1)
    words = [word for sequence in SEQUENCES for word in reference.words_of(sequence)]
    assert run.merges_sha256 == measure.fingerprint(reference.train(words, 30))
    assert run.merges == 21
    assert 0 < run.seconds < run.wall_seconds
    assert run.user_seconds > 0
    assert 5e6 < run.peak_bytes < 1e9


def test_a_child_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="status 1"):
        measure.train(train.OURS, Corpus((str(tmp_path / "missing.fa"),), None), 30, 1)


def test_unequal_merges_are_never_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = dna.write_fasta(tmp_path / "dna.fa", SEQUENCES)
    case = train.Case("key", "title", (path,), None, train.BOTH, "Much.")
    monkeypatch.setattr(measure, "train", lambda name, *_: run_of(1.0, digest=name))
    with pytest.raises(SystemExit, match="not the same"):
        train.run_case(case, 1, 1, lambda _: None)


def test_the_engines_take_turns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = dna.write_fasta(tmp_path / "dna.fa", SEQUENCES)
    case = train.Case("key", "title", (path,), None, train.BOTH, "Much.", max_runs=2)
    turns: list[str] = []
    monkeypatch.setattr(measure, "train", lambda name, *_: turns.append(name) or run_of(1.0))
    record = train.run_case(case, 1, 5, lambda _: None)
    assert turns == [train.OURS, train.RIVAL] * 2
    assert [len(result["runs"]) for result in record["results"]] == [2, 2]


def test_a_record_says_where_and_with_what(tmp_path: Path) -> None:
    path = train.write_record([case_of("one", {train.OURS: 1.0, train.RIVAL: 61.0})], 2, "train", tmp_path)
    record = json.loads(path.read_text())
    assert path.parent.name == machine.slug()
    assert record["provenance"]["machine"].keys() == {"cpu", "cpu_cores", "memory_bytes", "system"}
    assert record["provenance"]["software"].keys() == {"genotok", "numpy", "python", "rustc", "commit"}
    assert record["cases"][0]["results"][0]["best_seconds"] == 1.0
    assert record["cases"][0]["results"][0]["median_seconds"] == 1.5
    assert platform.node() not in path.read_text()
    assert str(Path.home()) not in path.read_text()


def test_the_table_shows_the_newest_full_record(tmp_path: Path) -> None:
    def store(name: str, seconds: float) -> None:
        path = train.write_record(
            [case_of("cut", {train.OURS: seconds, train.RIVAL: 50.0}), case_of("whole", {train.OURS: 2.0})],
            2,
            "train",
            tmp_path,
        )
        path.rename(path.with_name(name))

    store("2026-11-01-train.json", 5.0)
    store("2026-11-03-train.json", 0.5)
    store("2026-11-02-train.json", 25.0)
    store("2026-11-04-train-quick.json", 50.0)
    text = table.markdown(BenchmarkRecord.from_json(table.newest(tmp_path)))
    assert "| title of cut, 4,096 | 0.75 s | 0.25 GB | 75 s | 0.25 GB | **100** |" in text
    assert "| title of whole, 4,096 | 3.00 s | 0.25 GB | – | – | – |" in text
    assert "- title of cut; title of whole: Much." in text


def test_without_a_record_there_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        table.newest(tmp_path)


def test_the_table_is_put_between_its_markers() -> None:
    text = "# Title\n<!-- table:train -->\nold\n<!-- /table:train -->\nrest\n"
    once = table.insert(text, "train", "| new |")
    assert once == "# Title\n<!-- table:train -->\n| new |\n<!-- /table:train -->\nrest\n"
    assert table.insert(once, "train", "| new |") == once


@pytest.mark.parametrize("text", ["", "<!-- table:train -->", "<!-- /table:train --><!-- table:train -->"])
def test_a_text_without_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="table:train"):
        table.insert(text, "train", "| new |")


# -- encoding -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> encode.Inputs:
    """A genome of 400,000 bases with N, and a tokenizer trained on it beside it."""
    folder = tmp_path_factory.mktemp("encode")
    sequence = _native.simulate(400_000, 3).decode()
    path = dna.write_fasta(folder / "genome.fa", [sequence[:200_000] + "NNN", sequence[200_000:].lower()])
    genotok.Tokenizer.train(path, vocab_size=600).save(folder / "tokenizer.json")
    return encode.Inputs(folder, [path])


def test_inputs_hold_bases_only(inputs: encode.Inputs) -> None:
    assert len(inputs.sequence) == 400_000
    assert set(inputs.sequence) == set("ACGT")
    assert inputs.draw(3, 9) == inputs.draw(3, 9)


def test_encoders_take_turns_and_give_equal_ids(inputs: encode.Inputs) -> None:
    sizes = encode.Sizes(part=20_000, windows=20_000, reads=50, calls=20, naive=2_000)
    cases = {case.key: case for case in encode.sequence_cases(inputs, sizes)}
    tokenizer = str(inputs.folder / "tokenizer.json")
    for key in ("part", "reads", "calls"):
        lanes = tuple(lane for lane in cases[key].lanes if lane[0] != encode.GEMS)  # it would be compiled
        record = encode.run_case(replace(cases[key], lanes=lanes), tokenizer, 2, lambda _: None)
        assert record is not None
        assert [result["engine"] for result in record["results"]] == [engine for engine, _ in lanes]
        assert all(len(result["runs"]) == 2 and result["tokens"] > 100 for result in record["results"])
        json.dumps(record)


def test_unequal_ids_are_never_recorded(inputs: encode.Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    case = encode.Case("key", "title", "one", "", 1, ((train.OURS, 1), (train.OURS, 2)), "Much.")

    class Liar(Child):
        def __init__(self, job: Job) -> None:
            self.engine, self.threads = job.engine, job.threads

        def run(self) -> dict[str, Any]:
            return {"ids_sha256": str(self.threads)}

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(encode, "Child", Liar)
    with pytest.raises(SystemExit, match="not the same"):
        encode.run_case(case, "", 1, lambda _: None)


def test_the_table_of_encoding_compares_what_had_as_many_threads() -> None:
    def result(engine: str, threads: int, seconds: float) -> dict[str, Any]:
        return {"engine": engine, "version": "1", "threads": threads, "median_seconds": seconds}

    results = [result(train.OURS, 1, 0.1), result(train.OURS, 2, 0.05), result(train.RIVAL, 1, 40.0)]
    case = {"title": "reads", "bases": 100_000_000, "caveats": "Much.", "results": results}
    record = BenchmarkRecord(kind="encode", provenance=machine.provenance(), cases=[case])
    text = encode.markdown(record)
    assert "| reads | genotok | 2 | 2,000 Mbp/s |  |" in text
    assert "| reads | Hugging Face tokenizers | 1 | 2.50 Mbp/s | 400 |" in text
    assert "- reads: Much." in text


def test_the_encoder_s_table_marks_the_fastest_and_says_where() -> None:
    result = {"forward_tokens_per_second": 3000.0, "both_tokens_per_second": 1234.5, "peak_bytes": 2.04e9}
    slower = {**result, "both_tokens_per_second": 7.0}
    record = BenchmarkRecord(
        kind="encoder-speed",
        provenance=Provenance("2026-01-02", {"cpu": "Some CPU"}, {"torch": "2", "python": "3"}),
        threads=2,
        caveats=["All of it."],
        cases=[{"title": "full", "results": {"one": result, "other": slower}, "caveats": "Much."}],
    )
    text = encoder.markdown(record)
    assert "| full | one | 3,000 | **1,234** | 2.0 |" in text
    assert "| full | other | 3,000 | 7 | 2.0 |" in text
    assert text.endswith("Some CPU, 2 threads; torch 2; 2026-01-02. All of it. Much.")
    assert "Some GPU; torch 2" in encoder.markdown(
        replace(record, more={"accelerator": {"name": "Some GPU"}})
    )
