"""Writes test-data/: a genome, reads, a tokenizer, its encoding, and two models of a few thousand weights.

.venv/bin/python recipes/galaxy/make_test_data.py
"""

from __future__ import annotations

import gzip
import io
import json
import random
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import torch

from genotok import Tokenizer
from genotok.model import EncoderConfig
from genotok.model.huggingface import DnaBert2Config, DnaBert2ForMaskedLM, DnaBert2ForSequenceClassification

DATA = Path(__file__).resolve().parent / "test-data"
CLASSES = ["background", "promoter"]


def genome() -> str:
    """Two records of 310 and 240 bases: repeats, soft-masked bases, one N."""
    draw = random.Random(20)
    first = "".join(draw.choices("ACGT", k=150)) + "ACACACACAC" * 6 + "".join(draw.choices("ACGT", k=100))
    second = "".join(draw.choices("acgt", k=100)) + "N" + "".join(draw.choices("ACGT", k=139))
    return f">chrA\n{first}\n>chrB\n{second}\n"


def reads() -> str:
    """Twenty reads of 50 bases in FASTQ."""
    draw = random.Random(21)
    return "".join(
        f"@read{number}\n{''.join(draw.choices('ACGT', k=50))}\n+\n{'I' * 50}\n" for number in range(20)
    )


def packed(folder: Path) -> bytes:
    """The files of a folder as tar.gz without times and owners: the same bytes each time."""
    archive = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=archive, mode="wb", mtime=0) as file,
        tarfile.open(fileobj=file, mode="w") as tar,
    ):
        for path in sorted(folder.iterdir()):
            member = tarfile.TarInfo(f"{folder.name}/{path.name}")
            member.size = path.stat().st_size
            tar.addfile(member, io.BytesIO(path.read_bytes()))
    return archive.getvalue()


def models(tokenizer: Tokenizer) -> None:
    """An encoder, and a classifier of two classes, with random weights."""
    sizes = EncoderConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_layers=1, num_heads=2, intermediate_size=32
    ).to_published()
    torch.manual_seed(0)
    labels = dict(enumerate(CLASSES))
    made = {
        "encoder": DnaBert2ForMaskedLM(DnaBert2Config(**sizes)),
        "classifier": DnaBert2ForSequenceClassification(
            DnaBert2Config(**sizes, num_labels=2, id2label=labels, label2id={v: k for k, v in labels.items()})
        ),
    }
    with tempfile.TemporaryDirectory() as place:
        for name, model in made.items():
            folder = Path(place) / name
            model.save_pretrained(folder)
            tokenizer.save(folder / "tokenizer.json")
            (DATA / f"{name}.tar.gz").write_bytes(packed(folder))


def main() -> None:
    """Write all files."""
    DATA.mkdir(exist_ok=True)
    (DATA / "genome.fasta").write_text(genome())
    (DATA / "reads.fastq.gz").write_bytes(gzip.compress(reads().encode(), mtime=0))
    (DATA / "regions.bed").write_text("chrA\t10\t60\tregion1\t0\t+\nchrA\t100\t160\tregion2\t0\t-\n")
    program = [sys.executable, "-m", "genotok"]
    train = [*program, "train-bpe", "--vocab", "64", DATA / "genome.fasta", "-q", "--force"]
    subprocess.run([*train, "-o", DATA / "tokenizer.json"], check=True)
    encode = [*program, "encode", "-t", DATA / "tokenizer.json", "--window", "60", "--uppercase", "-q"]
    subprocess.run([*encode, DATA / "genome.fasta", "--force", "-o", DATA / "encoded.bed"], check=True)
    models(Tokenizer.from_file(DATA / "tokenizer.json"))
    sizes = {path.name: path.stat().st_size for path in sorted(DATA.iterdir())}
    print(json.dumps(sizes, indent=1))


if __name__ == "__main__":
    main()
