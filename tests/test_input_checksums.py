"""Checksums of input files, from the bytes that are read anyway."""

from __future__ import annotations

import gzip
import lzma
import os
import random
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from genotok._native import file_checksum
from tests.support.encoded import TOKENIZER

DICE = random.Random(7)
LINES = ["".join(DICE.choices("ACGT", k=60)) for _ in range(15_000)]
TEXT = ">a\n" + "\n".join(LINES) + "\n>b\n" + "\n".join(LINES[:99]) + "\n"
READS = "".join(f"@r{number}\n{line}\n+\n{'I' * 60}\n" for number, line in enumerate(LINES[:6_000]))
CONTENTS = {
    "plain": TEXT.encode(),
    "without an end": TEXT.rstrip().encode(),
    "one group": TEXT[:16_384].encode(),
    "one chunk": TEXT[: 1 << 18].encode(),
    "tiny": b">a\nACGT",
    "blanks": TEXT.replace("A\nC", "A \nC").encode(),
    "old lines": TEXT.replace("\n", "\r").encode(),
    "a defect for the fast reader in the middle": (TEXT[:500_000] + " \n" + TEXT[500_000:]).encode(),
    "reads": READS.encode(),
    "gzip": gzip.compress(TEXT.encode(), 1),
    "members": gzip.compress(TEXT.encode(), 1) + gzip.compress(b">c\nAC", 1) + bytes(512),
    "tiny gzip": gzip.compress(b">a\nACGT"),
    "xz": lzma.compress(TEXT.encode(), preset=0),
}


def sums_of(paths: list[str], threads: int, **options: object) -> list[str | None]:
    reader = TOKENIZER.encode_files(paths, checksums=True, threads=threads, **options)
    assert sum(batch.num_rows for batch in reader)
    return list(reader.report()["checksums"])


@pytest.mark.parametrize("threads", [1, 3])
def test_sums_are_those_of_the_files(tmp_path: Path, threads: int) -> None:
    paths = []
    for name, content in CONTENTS.items():
        paths.append(str(tmp_path / name))
        Path(paths[-1]).write_bytes(content)
    expected = [file_checksum(path) for path in paths]
    assert None not in expected
    assert sums_of(paths, threads) == expected
    assert sums_of(paths, threads, window=100, batch_bases=1_000) == expected
    assert sums_of(paths, threads, region="a:1-3") == expected
    assert [sums_of([path], threads) for path in paths] == [[each] for each in expected]


def test_blocks_are_summed_as_they_are_stored(tmp_path: Path) -> None:
    if shutil.which("bgzip") is None:
        pytest.skip("bgzip is not installed")
    plain = tmp_path / "a.fa"
    plain.write_text(TEXT)
    subprocess.run(["bgzip", str(plain)], check=True)
    path = f"{plain}.gz"
    assert sums_of([path], 2) == [file_checksum(path)]


def test_a_pipe_has_no_sum(tmp_path: Path) -> None:
    pipe, file = str(tmp_path / "pipe"), str(tmp_path / "file")
    os.mkfifo(pipe)
    Path(file).write_text(TEXT)
    writer = threading.Thread(target=lambda: Path(pipe).write_text(TEXT))
    writer.start()
    assert sums_of([pipe, file], 2) == [None, file_checksum(file)]
    writer.join()


def test_sums_are_reported_on_request_only(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(TEXT)
    assert "checksums" not in TOKENIZER.encode_files(tmp_path / "a.fa").report()
