"""`benchmarks.ingest`: its files hold what they should, outputs are compared before times, tables say all."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from benchmarks import machine
from benchmarks.ingest import __main__ as ingest
from benchmarks.ingest import cases, profiles, rounds
from benchmarks.ingest.outputs import differences, facts
from benchmarks.ingest.rounds import Bench, Unequal, peaks
from benchmarks.ingest.sources import Sizes, Sources
from benchmarks.ingest.tables import markdown, memory_markdown
from benchmarks.ingest.worker import Build

import genotok
from genotok import _native
from genotok.run_records.schemas import BenchmarkRecord

SIZES = Sizes(short_records=500, small_files=5, small_bases=300, long_bases=50_000)
BASES = 60_000
BY_KEY = {case.key: case for case in (*cases.SPEED, *cases.MEMORY)}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """A genome with N at both ends, and a second record that is left out."""
    folder = tmp_path_factory.mktemp("ingest")
    sequence = b"N" * 1000 + _native.simulate(BASES - 2000, 3) + b"N" * 1000
    genome = folder / "genome.fa.gz"
    genome.write_bytes(gzip.compress(b">chr1 of a test\n" + sequence + b"\n>chr2\nACGT\n"))
    (folder / "files").mkdir()
    return Sources(folder / "files", genome, SIZES)


@pytest.fixture(scope="module")
def bench(sources: Sources) -> Bench:
    """Two builds that are the same one, once by its python, once by its folder."""
    path = sources.folder / "kmer.json"
    genotok.Tokenizer.kmer(4, overlap=False).save(path)
    folder = str(Path(genotok.__file__).parent.parent)
    builds = [Build.of("before", folder), Build.of("after", None)]
    tokenizers = dict.fromkeys((cases.BPE, cases.KMERS), str(path))
    return Bench(sources, tokenizers, builds, [1, 2], lambda _line: None)


def test_every_file_holds_the_genome(sources: Sources) -> None:
    assert (sources.name, sources.bases) == ("chr1", BASES)
    plain = Path(sources.plain[0]).read_bytes()
    assert plain.replace(b"\n", b"") == b">chr1" + sources.sequence
    (bgzf,), (packed,), (xz,) = sources.bgzf, sources.gzip, sources.xz
    assert gzip.decompress(Path(bgzf).read_bytes()) == plain
    assert gzip.decompress(Path(packed).read_bytes()) == plain
    assert lzma.decompress(Path(xz).read_bytes()) == plain
    masked = Path(sources.masked[0]).read_bytes()
    assert masked.upper() == plain.upper()
    assert 0.3 < sum(map(bytes.islower, (masked[at : at + 1] for at in range(len(masked))))) / BASES < 0.7
    parts = [gzip.decompress(Path(path).read_bytes()).split(b"\n", 1)[1] for path in sources.four_gzip]
    assert b"".join(parts).replace(b"\n", b"") == sources.sequence


def test_reads_are_of_the_genome(sources: Sources) -> None:
    fasta = Path(sources.fasta_reads[0]).read_bytes().splitlines()
    assert fasta[::2] == [b">r%08d" % number for number in range(BASES // 150)]
    assert all(len(read) == 150 and read in sources.sequence and b"N" not in read for read in fasta[1::2])
    fastq = Path(sources.fastq_reads[0]).read_bytes().splitlines()
    assert fastq[1::4] == fasta[1::2]
    assert set(fastq[2::4]) == {b"+"}
    assert set(fastq[3::4]) == {b"I" * 150}
    small = sorted((sources.folder / "small").glob("*.fa")) if sources.small else []
    assert [path.name for path in small] == [f"{number:05}.fa" for number in range(5)]


def rows(numbers: list[int]) -> pa.RecordBatch:
    """Rows with one column of names and one of ids."""
    ids = pa.array([[number, number + 1] for number in numbers], pa.list_(pa.uint16()))
    return pa.record_batch([pa.array([f"r{number}" for number in numbers]), ids], ["record", "input_ids"])


def write(path: Path, batches: list[pa.RecordBatch]) -> str:
    with pa.ipc.new_file(path, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return str(path)


def test_rows_are_compared_apart_from_their_batches(tmp_path: Path) -> None:
    one = facts(write(tmp_path / "one.arrow", [rows([1, 2, 3])]))
    two = facts(write(tmp_path / "two.arrow", [rows([1]), rows([2, 3])]))
    other = facts(write(tmp_path / "other.arrow", [rows([1, 2]), rows([4])]))
    assert differences(one, two) == []
    assert differences(one, other) == ["input_ids: values", "record: values"]
    assert differences(one, facts(write(tmp_path / "less.arrow", [rows([1, 2])])))[-1] == "rows"


@pytest.mark.parametrize(("key", "cores"), [("shards", [1, 2]), ("gzip-read", [2]), ("pack-four", [1])])
def test_builds_take_turns_on_each_number_of_cores(
    bench: Bench, key: str, cores: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "COMMAND_RUNS", 1)
    bench = Bench(bench.sources, bench.tokenizers, bench.builds, cores, bench.say)
    record = bench.measure(replace(BY_KEY[key], aim=None), 1)
    results = record["results"]
    lanes = [(build, number) for number in cores for build in ("before", "after")]
    assert [(result["build"], result["cores"]) for result in results] == lanes
    assert all(len(result["runs"]["seconds"]) == 1 and result["seconds"] > 0 for result in results)
    commands = ["command_seconds" in result for result in results]
    assert commands == [number == max(cores) and key != "gzip-read" for _, number in lanes]
    assert not [path.name for path in bench.sources.folder.iterdir() if path.name.startswith("before-")]


def test_unequal_output_is_never_recorded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers: Iterator[int] = count()
    monkeypatch.setattr(rounds, "facts", lambda _path: {"rows": next(numbers)})
    with pytest.raises(Unequal, match="before on 2 cores gives another rows"):
        Bench(bench.sources, bench.tokenizers, bench.builds[:1], [1, 2], bench.say).measure(
            BY_KEY["windows"], 1
        )


def test_peak_memory_is_that_of_a_process(bench: Bench) -> None:
    bench = Bench(bench.sources, bench.tokenizers, bench.builds[1:], [2], bench.say)
    found = [peaks(bench, BY_KEY[key]) for key in ("encode-8-gz", "long-row")]
    assert [case["files"] for case in found] == [8, 1]
    assert all(2e7 < result["peak_bytes"] < 1e9 for case in found for result in case["results"])
    more = {
        "builds": {"after": BUILDS["after"]},
        "genome": "g.fa",
        "bases": BASES,
        "long_bases": 2_000_000_000,
    }
    made = BenchmarkRecord(kind="ingest-memory", provenance=machine.provenance(), cases=found, more=more)
    text = memory_markdown(replace(made, threads=2))
    assert "| encode, 8 gzip files | 0 MB | " in text
    assert "2 Gb in lines of one width" in text


BUILDS = {"before": {"version": "1", "commit": "abc"}, "after": {"version": "2", "commit": "def"}}


def result_of(build: str, cores: int, seconds: float, **more: Any) -> dict[str, Any]:
    return {
        "build": build,
        "cores": cores,
        "seconds": seconds,
        "best_seconds": seconds / 2,
        "runs": {"seconds": [1, 2]},
        "worst_seconds": 2 * seconds,
        "user_seconds": seconds,
        "system_seconds": seconds / 2,
        **more,
    }


def test_the_table_has_both_builds_and_says_what_misses_its_aim() -> None:
    profile = [{"share": 0.4, "library": "_native.abi3.so", "function": "without symbols"}]
    results = [
        result_of("before", 1, 0.4),
        result_of("after", 1, 0.2),
        result_of("before", 2, 0.2, command_seconds=0.5),
        result_of("after", 2, 0.1, command_seconds=0.25, profile=profile),
    ]
    case = {"title": "windows", "bases": 100_000_000, "note": "", "aim_seconds": None, "results": results}
    more = {"builds": BUILDS, "genome": "g.fa", "bases": BASES, "load": 0.1}
    made = [{**case, "aim_mbps": 1400}, {**case, "aim_mbps": 900, "title": "reads"}]
    record = BenchmarkRecord(kind="ingest", provenance=machine.provenance(), cases=made, more=more)
    text = markdown(record)
    row = "250 → 500 | **500 → 1,000** | 500 to 2,000 | 2.00 | 0.50 s → 0.25 s |"
    assert f"| windows | 1,400 | {row}" in text
    assert "- Missed, windows: 1,000 of 1,400; the two cores are 50% in user code, 25% in the system" in text
    assert "`_native.abi3.so: without symbols` 40%" in text
    assert "Missed, reads" not in text
    assert "*before* is commit abc; *after* is commit def" in text


def test_a_profile_sums_what_has_no_name() -> None:
    report = """
    40.00%  _native.abi3.so   [.] genotok_core::rows::next::h0123456789abcdef      -      -
    20.00%  _native.abi3.so   [.] 0x0000000000001234
    10.00%  _native.abi3.so   [.] 0x0000000000005678
     5.00%  [kernel.kallsyms] [k] clear_page_erms
    """
    assert [(one["function"], one["share"]) for one in profiles.summed(report)] == [
        ("genotok_core::rows::next", 0.4),
        ("without symbols", 0.3),
        ("clear_page_erms", 0.05),
    ]


def test_a_case_that_is_unequal_leaves_no_record(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    genome = tmp_path / "genome.fa"
    genome.write_bytes(b">a\n" + sources.sequence + b"\n")

    def measure(_bench: Bench, case: cases.Case, _rounds: int) -> dict[str, Any]:
        if case.key == "gzip":
            raise Unequal("gzip: before on 2 cores gives another rows")
        facts = {"title": case.title, "bases": BASES, "note": "", "aim_mbps": None, "aim_seconds": None}
        return {**facts, "results": [result_of("after", 2, 0.1)]}

    monkeypatch.setattr(Bench, "measure", measure)
    command = [str(genome), "--records", str(tmp_path / "records")]
    with pytest.raises(SystemExit, match="no record is written:\ngzip: before on 2 cores gives another rows"):
        ingest.main(command)
    assert "| plain FASTA, windows of 1,000 |" in capsys.readouterr().out
    assert not (tmp_path / "records").exists()
    with pytest.raises(SystemExit, match=r"^gzip: before"):
        ingest.main([*command, "--only", "gzip"])


def test_cases_are_chosen_by_key() -> None:
    assert [case.key for case in cases.chosen(cases.SPEED, ["gzip", "windows"])] == ["windows", "gzip"]
    with pytest.raises(ValueError, match="no case nothing; there are bgzf, "):
        cases.chosen(cases.SPEED, ["nothing"])
