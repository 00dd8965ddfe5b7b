"""Folders of models: what they hold, and that transformers reads them as genotok does."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")

import transformers  # noqa: E402
from huggingface_hub import ModelCard  # noqa: E402

from genotok import Tokenizer  # noqa: E402
from genotok.cli import app as program  # noqa: E402
from genotok.collate import SpecialIds  # noqa: E402
from genotok.model_folder.tokenizer_files import NO_LIMIT, folder_tokenizer, tokenizer_files  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
FILES = {
    "README.md",
    "config.json",
    "genotok.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
}
SETTINGS = ["steps=2", "batch=4", "micro_batch=4", "warmup=0", "max_tokens=40", "save_every=1"]
ROWS = ("ACGTTGCAacgtNNACG", "acgtnnacgRYKacg", "NNNN", "ACG", "TTTTTTTACCCCCCCATTGCATCGATCGTACGATCGATCA")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Two have too little to do in such small products, and wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def genotok(*arguments: str) -> None:
    """The program in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["genotok", *arguments])
        assert program._run() == 0


def table(path: Path, rows: int, *, seed: int, pairs: bool = False) -> Path:
    """Rows of different lengths, with lower case, N and IUPAC codes among them."""
    draw = np.random.default_rng(seed)
    lines = ["sequence1,sequence2,label" if pairs else "sequence,label"]
    for number in range(rows):
        sides = ["".join(draw.choice(list("ACGT"), int(draw.integers(4, 60)))) for _ in range(1 + pairs)]
        if number % 3 == 0:
            sides = [side[:3].lower() + "N" + side[3:] + "R" + side for side in sides]
        lines.append(",".join([*sides, "ab"[number % 2]]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pre-trained and a fine-tuned model, as the commands leave them."""
    place = tmp_path_factory.mktemp("folders")
    before = os.umask(0o022)
    try:
        genome = str(ROOT / "genomes" / "lambda_phage.fa")
        Tokenizer.train(genome, vocab_size=64).save(place / "tokenizer.json")
        changes = [part for one in SETTINGS for part in ("--set", one)]
        tokenizer = ["-t", f"{place}/tokenizer.json", "--device", "cpu", "-q"]
        genotok("pretrain", genome, "-o", f"{place}/model", *changes, *tokenizer)
        for name, pairs in (("single", False), ("pair", True)):
            (place / name).mkdir()
            for seed, (split, rows) in enumerate({"train": 16, "dev": 8, "test": 24}.items()):
                table(place / name / f"{split}.csv", rows, seed=seed, pairs=pairs)
        sets = [f"{place}/single", f"{place}/pair"]
        short = ["--set", "max_steps=2", "--set", "max_tokens=200", "--set", "learning_rate=0.01"]
        options = ["--model", f"{place}/model", "--seeds", "1", "--no-baseline", "--device", "cpu", "-q"]
        genotok("finetune", *sets, "-o", f"{place}/results", *short, *options)
    finally:
        os.umask(before)
    return place


@pytest.fixture(scope="module", params=["model", "results/single/model"])
def folder(place: Path, request: pytest.FixtureRequest) -> Path:
    """The folder of each model."""
    return place / str(request.param)


def test_a_folder_holds_all_that_its_readers_need(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names >= FILES
    assert not [name for name in names if name.startswith(".")]
    for path in [*folder.glob("*.*"), *folder.glob("checkpoint-*/*")]:
        assert stat.S_IMODE(path.stat().st_mode) in {0o644, 0o755}, path


def test_the_manifest_has_the_digests_of_the_files(folder: Path) -> None:
    manifest = json.loads((folder / "genotok.json").read_text())
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert set(manifest["files"]) == FILES - {"README.md", "genotok.json"}
    assert manifest["command"].startswith(f"genotok {manifest['made_by']} ")


def test_the_card_is_one_of_hugging_face(folder: Path) -> None:
    card = ModelCard.load(folder / "README.md")
    facts: dict[str, Any] = card.data.to_dict()
    assert facts["library_name"] == "transformers"
    assert "dna" in facts["tags"]
    is_classifier = folder.parent.name == "single"
    assert facts["pipeline_tag"] == ("text-classification" if is_classifier else "fill-mask")
    manifest = json.loads((folder / "genotok.json").read_text())
    for text in (manifest["command"], manifest["files"]["model.safetensors"], "import genotok.model.hugg"):
        assert text in card.text
    for row in manifest["data"]:
        assert row["SHA-256"] == hashlib.sha256(Path(row["file"]).read_bytes()).hexdigest()
        assert row["SHA-256"] in card.text
    if is_classifier:
        (result,) = [one for one in card.data.eval_results if one.metric_type == "matthews_correlation"]
        assert result.metric_value == manifest["metrics"]["mcc"]
        assert "95 % interval" in card.text


def test_the_tokenizer_says_its_roles_and_its_longest_input(folder: Path) -> None:
    fast = transformers.AutoTokenizer.from_pretrained(folder)
    named = [fast.unk_token, fast.cls_token, fast.sep_token, fast.pad_token, fast.mask_token]
    assert named == ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    assert fast.model_max_length == (200 if folder.parent.name == "single" else NO_LIMIT)
    batch = fast(list(ROWS), padding=True, return_tensors="pt")
    assert set(batch) == {"input_ids", "attention_mask"}
    tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
    special = SpecialIds.of(tokenizer)
    for row, ids, mask in zip(ROWS, batch["input_ids"], batch["attention_mask"], strict=True):
        expected = special.around(np.array(tokenizer.encode_batch([row], uppercase=True).values))
        assert ids[mask.bool()].tolist() == expected.tolist()


def published(**changes: Any) -> Tokenizer:
    """A small tokenizer in a file like the published one, with other parts changed."""
    ours = json.loads(Tokenizer.train(ROOT / "genomes" / "lambda_phage.fa", vocab_size=64).to_json())
    around = {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}
    foreign = {"normalizer": None, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": around}
    return Tokenizer.from_json(json.dumps({**ours, **foreign, **changes}))


TOKENIZERS = {
    "ours": lambda: Tokenizer.train(ROOT / "genomes" / "lambda_phage.fa", vocab_size=64),
    "published": published,
    "without a template": lambda: published(post_processor=None),
    "U is T": lambda: published(normalizer={"type": "Replace", "pattern": {"String": "U"}, "content": "T"}),
    "cuts": lambda: published(
        truncation={"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    ),
    "k-mers": lambda: Tokenizer.kmer(3, overlap=False),
    "bases": lambda: Tokenizer.kmer(1, overlap=False),
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_folders_tokenizer_gives_transformers_the_ids_of_training(name: str, tmp_path: Path) -> None:
    tokenizer = TOKENIZERS[name]()
    special = SpecialIds.of(tokenizer)
    files = tokenizer_files(tokenizer, special)
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    again = Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert tokenizer_files(again, SpecialIds.of(again)) == files
    fast = transformers.AutoTokenizer.from_pretrained(tmp_path)

    def ids(row: str, by: Tokenizer) -> Any:
        return np.array(by.encode_batch([row], uppercase=True).values)

    for row, other in zip((*ROWS, "acguUUACG"), (*ROWS[::-1], "AC"), strict=True):
        expected = special.around(ids(row, tokenizer)).tolist()
        assert fast(row)["input_ids"] == expected
        assert SpecialIds.of(again).around(ids(row, again)).tolist() == expected
        pair = special.around(ids(row, tokenizer), ids(other, tokenizer)).tolist()
        assert fast(row, other)["input_ids"] == pair


def test_k_mers_that_overlap_keep_their_own_file() -> None:
    kmers = Tokenizer.kmer(3)
    assert folder_tokenizer(kmers, SpecialIds.of(kmers)) is kmers
