"""Folders of models: what they hold, and that transformers reads them as genotok does."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `train`")
pytest.importorskip("accelerate", reason="needs accelerate: the extra `train`")

import transformers  # noqa: E402
from huggingface_hub import ModelCard  # noqa: E402
from pyarrow import parquet  # noqa: E402
from transformers import AutoModel, AutoTokenizer  # noqa: E402
from transformers.models.auto.configuration_auto import CONFIG_MAPPING  # noqa: E402

from genotok import Tokenizer  # noqa: E402
from genotok.cli import app as program  # noqa: E402
from genotok.embedding import Embedder  # noqa: E402
from genotok.model.huggingface import DnaBert2ForMaskedLM  # noqa: E402
from genotok.model_folder.tokenizer_files import NO_LIMIT, FolderTokenizer  # noqa: E402
from genotok.tokenizer.special_ids import SpecialIds  # noqa: E402

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


pytestmark = pytest.mark.usefixtures("one_thread")


def genotok(*arguments: str) -> None:
    """The program in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["genotok", *arguments])
        assert program._run() == 0


LABELS: dict[str, tuple[str, ...]] = {
    "single": ("a", "b"),
    "pair": ("a", "b"),
    "regression": ("0.5", "-2", "7.25"),
    "multilabel": ("a;b", "", "b"),
}
"""Sets by name, with the labels that their rows have in turn."""


def table(path: Path, rows: int, name: str, *, seed: int) -> Path:
    """Rows of different lengths, with lower case, N and IUPAC codes among them."""
    draw, labels, pairs = np.random.default_rng(seed), LABELS[name], name == "pair"
    lines = ["sequence1,sequence2,label" if pairs else "sequence,label"]
    for number in range(rows):
        sides = ["".join(draw.choice(list("ACGT"), int(draw.integers(4, 60)))) for _ in range(1 + pairs)]
        if number % 3 == 0:
            sides = [side[:3].lower() + "N" + side[3:] + "R" + side for side in sides]
        lines.append(",".join([*sides, labels[number % len(labels)]]))
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
        short = ["--set", "max_steps=2", "--set", "max_tokens=200", "--set", "learning_rate=0.01"]
        options = ["--model", f"{place}/model", "--seeds", "1", "--no-baseline", "--device", "cpu", "-q"]
        for name in LABELS:
            (place / name).mkdir()
            for seed, (split, rows) in enumerate({"train": 16, "dev": 8, "test": 24}.items()):
                table(place / name / f"{split}.csv", rows, name, seed=seed)
            kind = ["--problem-type", name] if name in {"regression", "multilabel"} else []
            genotok("finetune", f"{place}/{name}", "-o", f"{place}/results-{name}", *short, *options, *kind)
    finally:
        os.umask(before)
    return place


@pytest.fixture(scope="module", params=["model", "results-single/single/model"])
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


# -- what transformers makes of it ------------------------------------------------------------------


def columns(path: Path) -> tuple[list[str], dict[str, list[float]]]:
    """The predicted classes and the probability of each class that `genotok predict` wrote."""
    table = parquet.read_table(path)
    names = [name for name in table.column_names if name.startswith("prob_")]
    return table["predicted"].to_pylist(), {name.partition("_")[2]: table[name].to_pylist() for name in names}


def predicted(place: Path, name: str, target: Path) -> tuple[list[Any], list[str], dict[str, list[float]]]:
    """The rows of a test split as a pipeline takes them, and what genotok predicts of them."""
    rows = [line.split(",")[:-1] for line in (place / name / "test.csv").read_text().splitlines()[1:]]
    texts = [row[0] if len(row) == 1 else {"text": row[0], "text_pair": row[1]} for row in rows]
    model = ["--model", f"{place}/results-{name}/{name}/model", "--device", "cpu", "-q"]
    genotok("predict", f"{place}/{name}/test.csv", "-o", str(target), *model)
    return texts, *columns(target)


@pytest.mark.parametrize("name", ["single", "pair"])
def test_a_pipeline_predicts_what_genotok_predicts(place: Path, name: str, tmp_path: Path) -> None:
    texts, labels, probabilities = predicted(place, name, tmp_path / "p.parquet")
    folder = str(place / f"results-{name}" / name / "model")
    pipe = transformers.pipeline("text-classification", folder, device="cpu", top_k=None)
    found = [{one["label"]: one["score"] for one in row} for row in pipe(texts, batch_size=5)]
    assert [max(row, key=row.__getitem__) for row in found] == labels
    for label, expected in probabilities.items():
        np.testing.assert_allclose([row[label] for row in found], expected, atol=1e-6)
    fast = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    sides = [[one] if isinstance(one, str) else list(one.values()) for one in texts]
    batch = fast(*map(list, zip(*sides, strict=True)), padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**batch).logits.double()
    np.testing.assert_allclose(logits.softmax(-1)[:, 0], probabilities["a"], atol=1e-6)


def test_masked_tokens_are_filled_as_genotok_scores_them(place: Path) -> None:
    folder = place / "model"
    pipe = transformers.pipeline("fill-mask", str(folder), device="cpu", top_k=3)
    rows = ["ACGTTGCA[MASK]acgtNNACG", "[MASK]GGATTTACCA"]
    tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
    special = SpecialIds.of(tokenizer)
    model = transformers.AutoModelForMaskedLM.from_pretrained(folder)
    for row, found in zip(rows, pipe(rows, batch_size=2), strict=True):
        before, after = (np.array(tokenizer.encode(part)) for part in row.split("[MASK]"))
        ids = special.around(np.concatenate([before, [special.mask], after]).astype(np.int64))
        with torch.inference_mode():
            scores = model(input_ids=torch.tensor(ids)[None]).logits[0, len(before) + 1].softmax(-1)
        best = scores.topk(3)
        assert [one["token"] for one in found] == best.indices.tolist()
        np.testing.assert_allclose([one["score"] for one in found], best.values, atol=1e-6)


def test_vectors_are_those_of_genotok_embed(place: Path) -> None:
    folder = str(place / "model")
    expected = Embedder(folder, device="cpu").vectors(ROWS)
    pipe = transformers.pipeline("feature-extraction", folder, device="cpu")
    means = [np.mean(one[0], 0) for one in pipe(list(ROWS))]
    np.testing.assert_allclose(means, expected, atol=1e-5)
    fast, model = (kind.from_pretrained(folder) for kind in (AutoTokenizer, AutoModel))
    batch = fast(list(ROWS), padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    np.testing.assert_allclose((states * mask).sum(1) / mask.sum(1), expected, atol=1e-5)


def test_without_the_import_transformers_says_what_to_import(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CONFIG_MAPPING, "_extra_content", {})
    for kind in (AutoModel, transformers.AutoConfig, transformers.AutoModelForSequenceClassification):
        with pytest.raises(ValueError, match=r"import genotok\.model\.huggingface first"):
            kind.from_pretrained(folder)
    assert len(AutoTokenizer.from_pretrained(folder)("ACGT")["input_ids"]) > 2


def test_folders_from_before_load(place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("model.safetensors", "config.json"):
        (tmp_path / name).write_bytes((place / "model" / name).read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "genotok-dnabert2"}))
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path)
    assert isinstance(model, DnaBert2ForMaskedLM)
    assert "You are using a model of type" not in caplog.text
    assert model.config.model_type == config["model_type"]


def test_a_pipeline_gives_the_numbers_and_the_labels_of_genotok(place: Path, tmp_path: Path) -> None:
    for name in ("regression", "multilabel"):
        texts, values, probabilities = predicted(place, name, tmp_path / f"{name}.parquet")
        folder = str(place / f"results-{name}" / name / "model")
        pipe = transformers.pipeline("text-classification", folder, device="cpu", top_k=None)
        found = [{one["label"]: one["score"] for one in row} for row in pipe(texts, batch_size=7)]
        if name == "regression":
            scores = [next(iter(row.values())) for row in found]
            np.testing.assert_allclose(scores, values, atol=1e-5)
        for label, expected in probabilities.items():
            np.testing.assert_allclose([row[label] for row in found], expected, atol=1e-6)
        assert set(probabilities) == (set() if name == "regression" else {"a", "b"})


# -- adapters ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.(is_)?gradient_checkpointing. is deprecated:FutureWarning")
@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("SequenceClassification", "SEQ_CLS"),
        ("SequenceClassification", None),
        ("TokenClassification", "TOKEN_CLS"),
        ("TokenClassification", None),
        ("MaskedLM", None),
    ],
)
def test_an_adapter_is_loaded_as_it_was_saved(
    place: Path, kind: str, task: str | None, tmp_path: Path
) -> None:
    peft = pytest.importorskip("peft", reason="needs peft: the extra `train`")
    auto = getattr(transformers, f"AutoModelFor{kind}")
    batch = AutoTokenizer.from_pretrained(place / "model")(list(ROWS), padding=True, return_tensors="pt")
    torch.manual_seed(1)
    adapted = peft.get_peft_model(
        auto.from_pretrained(place / "model"), peft.LoraConfig(task_type=task, r=4, lora_dropout=0.0)
    )
    optimizer = torch.optim.AdamW(adapted.parameters(), lr=0.05)
    labels = torch.tensor([0, 1, 1, 0, 1]) if kind.startswith("Seq") else batch["input_ids"] % 2
    for _ in range(3):
        adapted(**batch, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    adapted.save_pretrained(tmp_path)
    torch.manual_seed(2)
    again = peft.PeftModel.from_pretrained(auto.from_pretrained(place / "model"), tmp_path)
    with torch.inference_mode():
        expected, found, untrained = (
            one.eval()(**batch).logits for one in (adapted, again, auto.from_pretrained(place / "model"))
        )
    assert (expected - found).abs().max() < 1e-6
    assert (expected - untrained).abs().max() > 1e-3


# -- tokenizers -------------------------------------------------------------------------------------


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
    "overlapping": lambda: Tokenizer.kmer(3),
    "canonical": lambda: Tokenizer.kmer(4, canonical=True),
    "canonical, non-overlapping": lambda: Tokenizer.kmer(3, overlap=False, canonical=True),
}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_folders_tokenizer_gives_transformers_the_ids_of_training(name: str, tmp_path: Path) -> None:
    tokenizer = TOKENIZERS[name]()
    special = SpecialIds.of(tokenizer)
    files = FolderTokenizer(tokenizer, special).files()
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    again = Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert FolderTokenizer(again, SpecialIds.of(again)).files() == files
    fast = transformers.AutoTokenizer.from_pretrained(tmp_path)

    def ids(row: str, by: Tokenizer) -> Any:
        return np.array(by.encode_batch([row], uppercase=True).values)

    for row, other in zip((*ROWS, "acguUUACG"), (*ROWS[::-1], "AC"), strict=True):
        expected = special.around(ids(row, tokenizer)).tolist()
        assert fast(row)["input_ids"] == expected
        assert SpecialIds.of(again).around(ids(row, again)).tolist() == expected
        pair = special.around(ids(row, tokenizer), ids(other, tokenizer)).tolist()
        assert fast(row, other)["input_ids"] == pair
    fast.save_pretrained(tmp_path / "again")
    assert AutoTokenizer.from_pretrained(tmp_path / "again")(ROWS[0]) == fast(ROWS[0])
