"""How each command that writes is called in the tests, and a folder with all that these calls read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from genotok import Tokenizer
from genotok.model import EncoderConfig
from genotok.model.huggingface import (
    DnaBert2Config,
    DnaBert2ForMaskedLM,
    DnaBert2ForSequenceClassification,
)
from tests.support import records
from tests.support.labelled import write_set

__all__ = ["FASTA", "FILES", "FOLDERS", "RECIPES", "Recipe", "write_models", "write_place"]

FASTA = ">r\n" + "ACGTTGCAACGGTTACAGATTACATTTAGGCCA" * 40 + "\n"


@dataclass(frozen=True)
class Recipe:
    """How a command is called in the tests.

    Attributes:
        arguments: All but the output.
        output: The output's name; one that ends in `/` is a folder.
        inputs: Files that it reads.
        otherwise: Arguments that make another output of the same kind.
        starts: How its data start.
        again: What becomes of the same command, called again: "same" or "refused".
    """

    arguments: list[str]
    output: str
    inputs: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    starts: bytes = b"{"
    again: str = "same"
    other: str = "refused"


RECIPES = {
    "train-bpe": Recipe(
        ["train-bpe", "--vocab", "30", "genome.fa"],
        "out.json",
        ("genome.fa",),
        ("--vocab", "20"),
        other="kept",
    ),
    "truncate": Recipe(
        ["truncate", "tokenizer.json", "--vocab", "30"], "out.json", ("tokenizer.json",), ("--vocab", "20")
    ),
    "kmer": Recipe(["kmer", "-k", "3"], "out.json", (), ("--uppercase",)),
    "encode": Recipe(
        ["encode", "genome.fa", "--format", "arrow"],
        "out.arrow",
        ("genome.fa", "tokenizer.json"),
        ("--reverse-complement",),
        b"ARROW1",
        "refused",
    ),
    "embed": Recipe(
        ["embed", "--model", "model", "genome.fa"],
        "out.parquet",
        ("genome.fa", "model/model.safetensors"),
        ("--pooling", "cls"),
        b"PAR1",
        "refused",
    ),
    "predict": Recipe(
        ["predict", "rows.csv", "--model", "classifier"],
        "out.parquet",
        ("rows.csv", "classifier/model.safetensors"),
        ("--max-tokens", "5"),
        b"PAR1",
        "refused",
    ),
    "score": Recipe(
        ["score", "--model", "model", "--reference", "genome.fa", "--window", "64", "r:9:A>G"],
        "out.vcf",
        ("genome.fa", "model/model.safetensors"),
        ("--scores", "pll"),
        b"##fileformat=VCF",
        "refused",
    ),
    "mutagenesis": Recipe(
        [
            "mutagenesis",
            "--model",
            "model",
            "--reference",
            "genome.fa",
            "--window",
            "64",
            "--region",
            "r:9-12",
        ],
        "out.parquet",
        ("genome.fa", "model/model.safetensors"),
        ("--scores", "pll"),
        b"PAR1",
        "refused",
    ),
    "track": Recipe(
        ["track", "--model", "model", "--reference", "genome.fa", "--window", "64", "--region", "r:9-40"],
        "out.parquet",
        ("genome.fa", "model/model.safetensors"),
        ("--strands", "forward"),
        b"PAR1",
        "refused",
    ),
    "pack": Recipe(
        ["pack", "genome.fa"], "out.pack", ("genome.fa",), ("other.fa",), b"GENOTOK\x1a", "refused"
    ),
    "study": Recipe(
        ["study", "tokenizer.json", "genome.fa", "--kmers", "3"],
        "out.json",
        ("tokenizer.json", "genome.fa"),
        ("--keep-case",),
        again="refused",
    ),
    "gue audit": Recipe(
        ["gue", "audit", "set"], "out.json", ("set/train.csv",), ("--min-overlap", "40"), again="refused"
    ),
    "gue split": Recipe(["gue", "split", "set"], "run/", ("set/train.csv",)),
    "gue fetch": Recipe(["gue", "fetch", "gue.zip"], "run/", ("gue.zip",)),
    "report": Recipe(
        ["report", "record.json"], "out.html", ("record.json",), ("--title", "Other"), b"<!doctype html>"
    ),
    "browse": Recipe(
        ["browse", "tokenizer.json"],
        "out.html",
        ("tokenizer.json",),
        ("--title", "Other"),
        b"<!doctype html>",
    ),
    "convert": Recipe(["convert", "model"], "run/", ("model/model.safetensors",), again="refused"),
    "baseline": Recipe(["baseline", "set"], "run/", ("set/train.csv",), again="refused"),
    "pretrain": Recipe(["pretrain", "genome.fa"], "run/", ("genome.fa",), again="refused"),
    "finetune": Recipe(["finetune", "set", "--model", "model"], "run/", ("set/train.csv",), again="refused"),
    "compare": Recipe(
        ["compare", "tokenizer.json", "genome.fa", "--gue", "set"], "run/", ("genome.fa",), again="refused"
    ),
}
FILES = [name for name, recipe in RECIPES.items() if not recipe.output.endswith("/")]
FOLDERS = [name for name in RECIPES if name not in {*FILES, "convert", "gue split", "gue fetch"}]
"""Folders of runs, which can be resumed; the others have tests of their own."""


def write_models(folder: Path) -> None:
    """Write a genome, a tokenizer, an encoder and a classifier."""
    (folder / "genome.fa").write_text(FASTA)
    tokenizer = Tokenizer.train(folder / "genome.fa", vocab_size=40)
    sizes = EncoderConfig.preset("tiny-1m", vocab_size=len(tokenizer), hidden_dropout=0.0).to_published()
    torch.manual_seed(0)
    DnaBert2ForMaskedLM(DnaBert2Config(**sizes)).save_pretrained(folder / "model")
    classes = DnaBert2Config(**sizes, num_labels=2)
    DnaBert2ForSequenceClassification(classes).save_pretrained(folder / "classifier")
    for place in (".", "model", "classifier"):
        tokenizer.save(folder / place / "tokenizer.json")


def write_place(folder: Path, models: Path) -> None:
    """Write all that the recipes read; `models` is the folder of `write_models`."""
    for name in ("model", "classifier"):
        (folder / name).mkdir()
    for source in models.rglob("*"):
        if source.is_file():
            (folder / source.relative_to(models)).write_bytes(source.read_bytes())
    (folder / "other.fa").write_text(">o\nACGTACGGTA\n")
    (folder / "rows.csv").write_text("sequence\nACGTACGTTAGGCACCATTA\n")
    (folder / "record.json").write_text(json.dumps({"kind": "study", **records.study()}))
    write_set(folder / "set", {"train": 4, "dev": 4, "test": 4})
