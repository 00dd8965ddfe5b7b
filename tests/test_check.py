"""Checking sequence files: what is found, where, and that training refuses exactly what has errors."""

from __future__ import annotations

import gzip
import json
import os
import pty
import random
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import genotok
from genotok import _native
from genotok.options import RunOptions
from tests.support import dna
from tests.support.program import ENVIRONMENT, LAMBDA, PROGRAM, run

if TYPE_CHECKING:
    from genotok.corpus.check import FileReport

BAD = b">a x\nACGT1\nAC-GT\n>a\nMKLVEF\n>b\nACGT>c\n"


def check(path: Path, content: bytes, **options: Any) -> FileReport:
    path.write_bytes(content)
    return genotok.check_files(path, **options)[0]


def test_every_defect_has_place_cause_and_remedy(tmp_path: Path) -> None:
    report = check(tmp_path / "bad.fa", BAD)
    found = [
        (defect["line"], defect["column"], defect["code"], defect["record"]) for defect in report["defects"]
    ]
    assert found == [
        (2, 5, "digit", "a"),
        (3, 3, "gap", "a"),
        (4, None, "duplicate-name", "a"),
        (5, 3, "protein", "a"),
        (7, None, "empty-record", "c"),
        (7, 5, "missing-line-end", "b"),
    ]
    for defect in report["defects"]:
        assert defect["what"]
        assert defect["fix"]
        assert defect["offset"] is not None
        if defect["code"] in {"digit", "gap"}:
            assert BAD[defect["offset"]] == {"digit": ord("1"), "gap": ord("-")}[defect["code"]]
    assert (report["errors"], report["warnings"], report["notes"]) == (3, 3, 0)
    assert sum(report["counts"].values()) == 6


def test_a_clean_file_is_described(tmp_path: Path) -> None:
    sequences = ["ACGTNacg", "GGGG", "ACGTACGTACGT"]
    report = check(tmp_path / "clean.fa.gz", gzip.compress(dna.fasta(sequences)))
    assert report["defects"] == []
    assert (report["format"], report["compression"], report["complete"]) == ("FASTA", "gzip", True)
    assert (report["records"], report["lines"]) == (3, 6)
    assert report["symbols"]["total"] == 24
    assert report["symbols"]["lower case"] == 3
    assert [report["symbols"][base] for base in "ACGTN"] == [5, 5, 9, 4, 1]
    assert report["gc"] == pytest.approx(14 / 23)
    assert report["lengths"] == {"shortest": 4, "longest": 12, "median": 8, "n50": 12}
    assert report["text_bytes"] == len(dna.fasta(sequences))


def test_counts_are_those_of_another_reader(genomes: Path) -> None:
    for path in sorted(genomes.iterdir()):
        if path.stat().st_size > 3_000_000:
            continue
        report = genotok.check_files(path)[0]
        sequences = list(dna.read_fasta(path))
        assert report["errors"] == 0, path
        assert report["records"] == len(sequences)
        assert report["symbols"]["total"] == sum(map(len, sequences))
        for base in "ACGTN":
            assert report["symbols"][base] == sum(s.upper().count(base) for s in sequences), path


def mutations(content: bytes, number: int) -> list[bytes]:
    """Content with a few bytes changed, put in, or cut off; the same on every run."""
    chance = random.Random(number)
    made = []
    for _ in range(number):
        mutated = bytearray(content)
        for _ in range(chance.randint(1, 3)):
            at, byte = chance.randrange(len(mutated)), chance.choice(b">@+ACGTNURL-*.1 \t\r\n\0;#~\xc3")
            match chance.randrange(4):
                case 0:
                    mutated[at] = byte
                case 1:
                    mutated.insert(at, byte)
                case 2:
                    del mutated[at]
                case _:
                    del mutated[max(at, 12) :]
        made.append(bytes(mutated))
    return made


FASTQ = b"@r1 x\nACGTACGT\n+\nIIIIIIII\n@r2\nACGT\nAC\n+r2\n@II+\nII\n@r3\nACGNN\n+\nIIIII\n"


@pytest.mark.parametrize("content", [dna.fasta(["ACGTN" * 20, "acgtryk", "GATTACA"]), FASTQ])
def test_errors_are_found_exactly_where_training_refuses(tmp_path: Path, content: bytes) -> None:
    path, packed = tmp_path / "file.fa", str(tmp_path / "packed")
    for mutated in [content, *mutations(content, 300)]:
        report = check(path, mutated)
        try:
            _native.pack([str(path)], packed, _native.MAX_UNKNOWN, RunOptions(threads=1))
            refused = ""
        except ValueError as error:
            refused = str(error)
        if refused.endswith("is this the right file?"):
            continue  # symbols, but no base in any file: of the corpus, not of the file
        assert (report["errors"] > 0) == bool(refused), (mutated, report, refused)


def test_specimens_have_errors_exactly_if_training_refuses_them(shared: Path, tmp_path: Path) -> None:
    files = [path for path in (shared / "specimens").rglob("*") if path.is_file()]
    assert len(files) > 100
    for path, report in zip(files, genotok.check_files(files), strict=True):
        try:
            _native.pack([str(path)], str(tmp_path / "packed"), _native.MAX_UNKNOWN, RunOptions(threads=1))
            refused = ""
        except ValueError as error:
            refused = str(error)
        assert (report["errors"] > 0) == bool(refused), (path, report["defects"], refused)


def test_a_flood_of_defects_is_counted_and_not_kept(tmp_path: Path) -> None:
    report = check(tmp_path / "bad.fa", b">a\n" + b"AC1\nA~\n" * 100_000, limit=3)
    assert report["counts"]["digit"] == 100_000
    assert len(report["defects"]) <= 3 * len(report["counts"])


def test_a_file_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path) -> None:
    pipe = tmp_path / "a.fa"
    pipe.write_bytes(b"\x1f\x8b")
    (tmp_path / "b.fa").write_bytes(b">a\nAC\n")
    first, second = genotok.check_files([pipe, tmp_path / "b.fa"])
    assert first["counts"] == {"compression": 1}
    assert (second["errors"], second["records"]) == (0, 1)


# -- the program ------------------------------------------------------------------------------------


def test_the_exit_code_says_whether_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.fa").write_bytes(BAD)
    (tmp_path / "warned.fa").write_bytes(b">a\nAC-GT\n")
    clean = run("check", LAMBDA, folder=tmp_path)
    assert (clean.returncode, clean.stderr) == (0, "")
    assert re.search(r"lambda_phage\.fa +FASTA +1 +48\.5 kb +48\.5 kb +49\.9% +0\.0% +clean\n", clean.stdout)
    assert run("check", "warned.fa", folder=tmp_path).returncode == 0
    assert run("check", "--strict", "warned.fa", folder=tmp_path).returncode == 1
    bad = run("check", "bad.fa", LAMBDA, folder=tmp_path)
    assert bad.returncode == 1
    assert bad.stdout.startswith("bad.fa:2:5: error: found '1' in the sequence (record a); ")
    assert "2 files, 1 clean: 3 errors, 3 warnings" in bad.stdout
    assert run("check", folder=tmp_path).returncode == 2
    assert run("check", "--limit", "0", LAMBDA, folder=tmp_path).returncode == 2
    assert run("check", "missing.fa", folder=tmp_path).returncode == 1


def test_quiet_prints_errors_only(tmp_path: Path) -> None:
    (tmp_path / "bad.fa").write_bytes(BAD)
    done = run("check", "--quiet", "bad.fa", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert [line.split(": ")[1] for line in done.stdout.splitlines()] == ["error"] * 3
    assert run("check", "-q", LAMBDA, folder=tmp_path).stdout == ""


def test_json_holds_the_reports(tmp_path: Path) -> None:
    done = run("check", "--json", "-", folder=tmp_path, stdin=BAD.decode())
    result = json.loads(done.stdout)
    assert (done.returncode, result["clean"]) == (1, False)
    assert result["files"][0]["file"] == "-"
    assert result["files"][0]["counts"]["digit"] == 1


def test_what_a_file_says_cannot_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "bad.fa").write_bytes(b">\x1b[31mred\x07\nAC1\n>[bold]\nAC2\n")
    done = run("check", "bad.fa", folder=tmp_path)
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert "(record [bold])" in done.stdout


def test_many_of_a_kind_are_counted_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "bad.fa").write_bytes(b">a\n" + b"AC1\n" * 1000)
    done = run("check", "--limit", "2", "bad.fa", folder=tmp_path)
    assert done.stdout.count("[digit]") == 3
    assert "bad.fa: error: 998 more of [digit]\n" in done.stdout


def test_colours_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "bad.fa").write_bytes(BAD)
    leader, follower = pty.openpty()
    environment = {key: value for key, value in ENVIRONMENT.items() if key != "NO_COLOR"}
    subprocess.run(
        [*PROGRAM, "check", "bad.fa"],
        cwd=tmp_path,
        stdout=follower,
        stderr=follower,
        env=environment,
        check=False,
    )
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert "\x1b[1;31merror\x1b[0m" in shown


def test_an_interrupt_stops_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.fa"
    os.mkfifo(pipe)
    command = [*PROGRAM, "check", str(pipe)]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    with pipe.open("wb") as writer:
        writer.write(b">a\nACGT\n")
        writer.flush()
        time.sleep(0.5)
        child.send_signal(signal.SIGINT)
        start = time.monotonic()
        assert child.wait(timeout=20) == 130
    assert time.monotonic() - start < 1.5
    assert child.stderr is not None
    assert "interrupted" in child.stderr.read()
    child.stderr.close()
