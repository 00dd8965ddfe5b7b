"""`genotok encode` and `genotok verify` as a user runs them: every test starts the program."""

from __future__ import annotations

import errno
import gzip
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pyarrow as pa
import pytest

import genotok
from genotok import _native
from genotok.dataset import TokenDataset
from tests.support.program import ENVIRONMENT, GENOMES, LAMBDA, PROGRAM, YEAST, fails, names, run

SEQUENCE = "ACGTTGCAACGTTTTTACGATCAGGCATTACG"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tokenizer of 300 tokens trained on phage lambda."""
    path = tmp_path_factory.mktemp("trained") / "lambda.json"
    genotok.Tokenizer.train(LAMBDA, vocab_size=300).save(path)
    return str(path)


@pytest.fixture
def folder(tmp_path: Path, tokenizer: str) -> Path:
    """A folder with tokenizer.json and a small FASTA file of three records, one of them empty."""
    (tmp_path / "tokenizer.json").write_text(Path(tokenizer).read_text())
    (tmp_path / "small.fa").write_text(f">a first\n{SEQUENCE}\n>b\n>c\n{SEQUENCE[:7]}NN{SEQUENCE[7:]}\n")
    return tmp_path


def rows(path: Path) -> list[tuple[str, int, int, list[int]]]:
    return [
        (*row[:3], row.ids.tolist()) for row in map(TokenDataset(path).row, range(len(TokenDataset(path))))
    ]


def ids(folder: Path, text: str) -> list[int]:
    return genotok.Tokenizer.from_file(folder / "tokenizer.json").encode(text)


# -- one file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["arrow", "arrows", "parquet", "bin"])
def test_a_file_and_a_report(folder: Path, ending: str) -> None:
    done = run("encode", "small.fa", "-o", f"out.{ending}", folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for part in (
        "encoded 66 bases",
        "1 file, 3 records, 66 bases in 3 rows",
        "2 symbols (3.03%): 2 N",
        f"out.{ending}",
    ):
        assert part in done.stdout
    data = TokenDataset(folder / f"out.{ending}")
    expected = [ids(folder, SEQUENCE), [], ids(folder, f"{SEQUENCE[:7]}NN{SEQUENCE[7:]}")]
    assert [row.tolist() for row in data] == expected
    if ending != "bin":
        assert [data.row(n)[:3] for n in range(3)] == [("a", 0, 32), ("b", 0, 0), ("c", 0, 34)]


def test_the_report_as_json(folder: Path) -> None:
    done = run("encode", "small.fa", LAMBDA, "-o", "out.arrow", "--json", folder=folder)
    report = json.loads(done.stdout)
    assert (report["files"], report["records"], report["rows"], report["bases"]) == (2, 4, 4, 48_502 + 66)
    assert report["unknown"] == {"N": 2}
    assert report["tokens"] == sum(len(row) for row in TokenDataset(folder / "out.arrow"))
    assert report["format"] == "arrow"
    assert report["bytes"] == (folder / "out.arrow").stat().st_size
    assert report["bases_per_second"] > 0


def test_windows_regions_and_strands(folder: Path) -> None:
    run("encode", "small.fa", "-o", "w.arrow", "--window", "10", "--stride", "20", "-q", folder=folder)
    assert [row[:3] for row in rows(folder / "w.arrow")][:2] == [("a", 0, 10), ("a", 20, 30)]
    run("encode", "small.fa", "-o", "r.arrow", "--region", "c:1-7", "--region", "a:3-4", "-q", folder=folder)
    assert [row[:3] for row in rows(folder / "r.arrow")] == [("a", 2, 4), ("c", 0, 7)]
    (folder / "places.bed").write_text("a\t5\t9\n")
    options = ["--bed", "places.bed", "--reverse-complement", "-q"]
    run("encode", "small.fa", "-o", "b.arrow", *options, folder=folder)
    bases = SEQUENCE[5:9].translate(str.maketrans("ACGT", "TGCA"))[::-1]
    assert rows(folder / "b.arrow") == [("a", 5, 9, ids(folder, bases))]


def test_policies_for_unknown_symbols(folder: Path) -> None:
    run("encode", "small.fa", "-o", "split.arrow", "--unknown", "split", "-q", folder=folder)
    assert [row[:3] for row in rows(folder / "split.arrow") if row[2]] == [
        ("a", 0, 32),
        ("c", 0, 7),
        ("c", 9, 34),
    ]
    done = run("encode", "small.fa", "-o", "error.arrow", "--unknown", "error", folder=folder)
    fails(done, "small.fa", "c", "N")
    assert run("encode", "small.fa", "-o", "x.arrow", "--unknown", "maybe", folder=folder).returncode == 2
    assert "error.arrow" not in names(folder)


def test_special_tokens_are_added_on_request(folder: Path) -> None:
    run("encode", "small.fa", "-o", "out.arrow", "--add-special-tokens", "-q", folder=folder)
    assert rows(folder / "out.arrow")[1][3] == [1, 2]


def test_a_soft_masked_genome_is_warned_of(folder: Path) -> None:
    """With a tokenizer file that does not map lower case to upper case."""
    file = json.loads((folder / "tokenizer.json").read_text())
    file["normalizer"] = None
    (folder / "tokenizer.json").write_text(json.dumps(file))
    (folder / "soft.fa").write_text(f">s\n{SEQUENCE}{SEQUENCE.lower()}\n")
    done = run("encode", "soft.fa", "-o", "soft.arrow", folder=folder)
    assert "genotok: 50.00% of the symbols are lower case" in done.stderr
    assert "--uppercase" in done.stderr
    assert done.stderr.count("\n") == 1
    done = run("encode", "soft.fa", "-o", "upper.arrow", "--uppercase", "-q", folder=folder)
    assert (done.stdout, done.stderr) == ("", "")
    assert rows(folder / "upper.arrow")[0][3] == ids(folder, SEQUENCE * 2)


def test_tokens_as_bed_lines(folder: Path) -> None:
    done = run("encode", "small.fa", "-o", "-", "--format", "bed", "--unknown", "split", "-q", folder=folder)
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert "".join(line[3] for line in lines) == SEQUENCE * 2
    assert lines[-1][:3:2] == ["c", "34"]


def test_a_pipe_on_both_sides(folder: Path) -> None:
    with gzip.open(folder / "small.fa.gz", "wb") as packed:
        packed.write((folder / "small.fa").read_bytes())
    program = subprocess.list2cmdline(PROGRAM)
    done = subprocess.run(
        ["bash", "-c", f"cat small.fa.gz | {program} encode - -o - > out.arrows"],
        cwd=folder,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=True,
    )
    assert done.stdout == ""
    assert "standard output" in done.stderr
    assert [row[:3] for row in rows(folder / "out.arrows")] == [("a", 0, 32), ("b", 0, 0), ("c", 0, 34)]


def test_a_closed_pipe_is_not_an_error(folder: Path) -> None:
    program = subprocess.list2cmdline(PROGRAM)
    done = subprocess.run(
        ["bash", "-c", f"{program} encode {YEAST} -o - -f bed -q | head -2"],
        cwd=folder,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.stdout.count("\n") == 2
    assert done.stderr == ""


def test_the_ids_are_the_same_for_any_number_of_threads(folder: Path) -> None:
    for threads in ("1", "2"):
        run("encode", YEAST, "-o", f"{threads}.arrow", "--threads", threads, "-q", folder=folder)
    assert (folder / "1.arrow").read_bytes() == (folder / "2.arrow").read_bytes()


# -- refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["missing.fa", "-o", "out.arrow"], ["missing.fa", "No such file"]),
        (["small.fa", "-o", "out.txt"], ["out.txt", "no format", ".arrow"]),
        (["small.fa", "-o", "out.arrow", "-f", "hdf5"], ["hdf5", "megatron"]),
        (["small.fa", "-o", "no/out.arrow"], ["no", "does not exist"]),
        (["small.fa", "-o", "-", "-f", "megatron"], ["megatron", "pipe"]),
        (["small.fa", "-o", "-", "--shard-size", "5"], ["shards", "pipe"]),
        (["small.fa", "-o", "out/", "-f", "bed"], ["bed", "shards"]),
        (["small.fa", "-o", "out.arrow", "--resume"], ["resume", "folder"]),
        (["small.fa", "-o", "out/", "--resume"], ["out", "--resume"]),
        (["small.fa", "-o", "out/", "--resume", "--force"], ["resume", "force"]),
        (["small.fa", "-o", "tokenizer.json", "-f", "arrow"], ["tokenizer.json", "not an Arrow file"]),
        (["small.fa", "-o", "small.fa", "-f", "bed", "--force"], ["small.fa", "is read by this command"]),
        (["small.fa", "-o", "out.arrow", "--stride", "5"], ["stride", "window"]),
        (["small.fa", "-o", "out.arrow", "-t", "none.json"], ["none.json"]),
        (["small.fa", "-o", "out.arrow", "--region", "z:1-5"], ["z"]),
        (["cut.fa.gz", "-o", "out.arrow"], ["cut.fa.gz"]),
        (["cut.fa.gz", "-o", "out.bin"], ["cut.fa.gz"]),
    ],
)
def test_what_cannot_be_is_one_line_and_no_output(
    folder: Path, arguments: list[str], parts: list[str]
) -> None:
    (folder / "cut.fa.gz").write_bytes(gzip.compress((folder / "small.fa").read_bytes())[:-12])
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    fails(run("encode", *arguments, folder=folder), *parts)
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before


@pytest.mark.parametrize("size", ["0", "-5", "many", "5X", "inf", "nan"])
def test_a_size_that_is_none_is_wrong_usage(folder: Path, size: str) -> None:
    done = run("encode", "small.fa", "-o", "out/", f"--shard-size={size}", folder=folder)
    assert done.returncode == 2
    assert "no number such as 500M" in done.stderr


def test_an_existing_output_is_replaced_with_force_only(folder: Path) -> None:
    run("encode", "small.fa", "-o", "out.arrow", "-q", folder=folder)
    before = (folder / "out.arrow").read_bytes()
    fails(run("encode", LAMBDA, "-o", "out.arrow", folder=folder), "out.arrow", "--force")
    assert (folder / "out.arrow").read_bytes() == before
    assert run("encode", LAMBDA, "-o", "out.arrow", "--force", folder=folder).returncode == 0
    assert len(TokenDataset(folder / "out.arrow")) == 1


@pytest.mark.parametrize("output", ["disk/out.arrow", "disk/out.bin", "disk/out.parquet", "disk/shards/"])
def test_a_full_disk_leaves_nothing_half_written(folder: Path, small_disk: Path, output: str) -> None:
    done = run("encode", str(GENOMES / "yeast_chrIV.fa"), "-o", output, folder=folder)
    fails(done, "disk/", os.strerror(errno.ENOSPC))
    left = {path.name for path in small_disk.rglob("*") if path.is_file()}
    assert left <= {"tokenizer.json", "unfinished.jsonl"}


def test_a_full_standard_output_is_an_error(folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "encode", LAMBDA, "-o", "-"],
            cwd=folder,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == f"genotok: error: standard output: {os.strerror(errno.ENOSPC)}\n"


# -- folders ----------------------------------------------------------------------------------------


def test_a_folder_of_shards_is_verified(folder: Path) -> None:
    done = run(
        "encode", LAMBDA, YEAST, "-o", "shards/", "--shard-size", "20k", "--window", "500", folder=folder
    )
    assert done.returncode == 0, done.stderr
    assert "in 15 shards, arrow" in done.stdout
    data = TokenDataset(folder / "shards")
    joined = [token for row in data for token in row.tolist()]
    assert len(joined) == data.manifest.totals().tokens
    done = run("verify", "shards", "--against", "tokenizer.json", "--inputs", folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("shards: whole: 15 shards, 559 rows, 279 kb")
    done = run("info", "shards", folder=folder)
    assert "15 shards" in done.stdout
    assert "window 500" in done.stdout
    info = json.loads(run("info", "--json", "shards/00000-00000.arrow", folder=folder).stdout)
    assert (info["rows"], info["bases"]) == (40, 20_000)


def test_verifying_tells_each_defect(folder: Path) -> None:
    run("encode", LAMBDA, YEAST, "-o", "shards/", "-q", folder=folder)
    shard = folder / "shards" / "00001-00000.arrow"
    shard.write_bytes(shard.read_bytes()[:-8])
    os.remove(folder / "shards" / "records-00000.tsv")
    done = run("verify", "shards", folder=folder)
    assert done.returncode == 1
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        "shards/records-00000.tsv",
        "shards/00001-00000.arrow",
    ]
    done = run("verify", "shards", "--json", folder=folder)
    assert len(json.loads(done.stdout)["defects"]) == 2
    fails(run("verify", "nothing", folder=folder), "nothing")


def test_records_have_refget_digests(folder: Path) -> None:
    (folder / "acgt.fa").write_text(">x\nAC\nGT\n>y\nac\ngt\n>z\n")
    run("encode", "acgt.fa", "-o", "shards/", "-q", folder=folder)
    lines = [line.split("\t") for line in (folder / "shards/records-00000.tsv").read_text().splitlines()]
    assert lines[1:] == [
        ["acgt.fa", "x", "4", "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2"],
        ["acgt.fa", "y", "4", "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2"],
        ["acgt.fa", "z", "0", "SQ.z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXc"],
    ]


def test_regions_of_many_files_make_one_portion(folder: Path) -> None:
    (folder / "other.fa").write_text(f">d\n{SEQUENCE}\n")
    regions = ["--region", "d:1-5", "--region", "a:1-3"]
    done = run("encode", "small.fa", "other.fa", "-o", "shards/", "-q", *regions, folder=folder)
    assert done.returncode == 0, done.stderr
    assert [row[:3] for row in rows(folder / "shards")] == [("a", 0, 3), ("d", 0, 5)]


@pytest.fixture(scope="module")
def genomes(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Four files of 10 Mb."""
    made = []
    for number in range(4):
        path = tmp_path_factory.mktemp("genomes") / f"{number}.fa"
        path.write_bytes(b">simulated\n" + _native.simulate(10_000_000, number) + b"\n")
        made.append(str(path))
    return made


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_goes_on_to_the_same_files(folder: Path, genomes: list[str], how: int) -> None:
    options = [*genomes, "--window", "1000", "--shard-size", "2M", "--threads", "1"]
    run("encode", *options, "-o", "whole/", "-q", folder=folder)
    child = subprocess.Popen(
        [*PROGRAM, "encode", *options, "-o", "shards/"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    deadline = time.monotonic() + 60
    while not list(folder.glob("shards/00001-*")) and time.monotonic() < deadline:
        time.sleep(0.002)
    child.send_signal(how)
    stopped = time.monotonic()
    _, messages = child.communicate()
    assert time.monotonic() - stopped < 1.5
    if how == signal.SIGINT:
        assert child.returncode == 130
        assert "resume with: genotok encode" in messages or "the same command and --resume" in messages
    assert "unfinished.jsonl" in names(folder / "shards")
    fails(run("encode", *options, "-o", "shards/", folder=folder), "unfinished", "--resume")
    done = run("encode", *options, "-o", "shards/", "--resume", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "encoded before" in done.stdout
    whole, resumed = folder / "whole", folder / "shards"
    assert names(whole) == names(resumed)
    for name in names(whole):
        assert (whole / name).read_bytes() == (resumed / name).read_bytes()


def test_ctrl_c_leaves_nothing_of_one_file(folder: Path, genomes: list[str]) -> None:
    before = names(folder)
    child = subprocess.Popen(
        [*PROGRAM, "encode", *genomes, "-", "-o", "out.parquet"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    deadline = time.monotonic() + 60
    while not list(folder.glob(".genotok-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    stopped = time.monotonic()
    assert child.stderr is not None
    assert child.wait(10) == 130
    assert time.monotonic() - stopped < 1.5
    assert child.stderr.read() == "genotok: interrupted; nothing was written\n"
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream is not None:
            stream.close()
    assert names(folder) == before


def test_the_stream_can_be_read_as_it_comes(folder: Path) -> None:
    child = subprocess.Popen(
        [*PROGRAM, "encode", LAMBDA, "-o", "-", "--window", "100", "-q"],
        cwd=folder,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert child.stdout is not None
    with child.stdout, pa.ipc.open_stream(child.stdout) as reader:
        assert sum(batch.num_rows for batch in reader) == 486
    assert child.wait() == 0
