"""Models that see bases in transformers and in folders: saved, loaded, trained, adapted, refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")
transformers = pytest.importorskip("transformers", reason="needs transformers: the extra `model`")
pytest.importorskip("accelerate", reason="needs accelerate, for transformers' Trainer")

from genotok.embedding import Embedder  # noqa: E402
from genotok.errors import ArgumentError  # noqa: E402
from genotok.model import unpad  # noqa: E402
from genotok.model.huggingface import (  # noqa: E402
    DnaBert2Config,
    DnaBert2ForMaskedLM,
    DnaBert2ForSequenceClassification,
    DnaBert2Model,
)
from genotok.model.spelling import spelling_of  # noqa: E402
from genotok.model_folder.load import load_encoder  # noqa: E402
from genotok.model_folder.pretrained import load_pretrained  # noqa: E402
from genotok.model_folder.read import read_folder  # noqa: E402
from genotok.pretrain import PretrainConfig, pretrain  # noqa: E402
from genotok.tokenizer import Tokenizer  # noqa: E402
from genotok.training.settings import configured  # noqa: E402
from tests.support.encoder_cases import difference  # noqa: E402

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parent.parent
LAMBDA = str(ROOT / "genomes" / "lambda_phage.fa")
TOKENS = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "A", "C", "G", "T", "AC", "GATTACA", "CCGGT"]
SPELLING = spelling_of({token: number for number, token in enumerate(TOKENS)}, range(5), 4)
ADDED: dict[str, Any] = {
    "base_features": "kmer+conv",
    "base_position": True,
    "alibi": "directional",
    "pooling": "skip",
    "spelling": SPELLING,
}
SIZES: dict[str, Any] = {
    "vocab_size": len(TOKENS),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "num_labels": 2,
}
IDS = torch.tensor([[1, 10, 9, 4, 11, 2], [1, 5, 2, 3, 3, 3]])
BATCH = {"input_ids": IDS, "attention_mask": (IDS != 3).long()}


def model(kind: Any, **changes: Any) -> Any:
    torch.manual_seed(3)
    return kind(DnaBert2Config(**{**SIZES, **ADDED, **changes})).eval()


def outputs(one: Any) -> Any:
    with torch.no_grad():
        return one.eval()(**BATCH)


def test_what_is_saved_loads_by_both_routes(tmp_path: Path) -> None:
    masked = model(DnaBert2ForMaskedLM)
    masked.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    expected = outputs(masked)
    again = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path)
    assert difference(outputs(again).logits, expected.logits) < 1e-6
    vectors = outputs(masked.bert).last_hidden_state
    bare = transformers.AutoModel.from_pretrained(tmp_path)
    assert difference(outputs(bare).last_hidden_state, vectors) < 1e-6
    folder = read_folder(tmp_path)
    assert difference(outputs(load_pretrained(DnaBert2ForMaskedLM, folder)).logits, expected.logits) < 1e-6
    encoder = load_encoder(folder).eval()
    packing = unpad(BATCH["attention_mask"])
    with torch.no_grad():
        found = packing.pad(encoder(packing.take(IDS), packing).last)
    assert difference(found, vectors) < 1e-6


def test_a_classifier_on_saved_weights_is_initialised(tmp_path: Path) -> None:
    """New parts are as in a new model: a pooler that is a mean, places of small numbers, no empty memory."""
    model(DnaBert2ForMaskedLM, base_position=False, pooling="cls").save_pretrained(tmp_path)
    auto = transformers.AutoModelForSequenceClassification
    changes: dict[str, Any] = {"base_position": True, "pooling": "skip"}
    fresh = auto.from_pretrained(tmp_path, **changes)
    mean = torch.cat([torch.eye(32) / 4] * 4, 1)
    assert torch.equal(fresh.bert.pooler.dense.weight, mean)
    assert 0.01 < float(fresh.bert.embeddings.bases.places.weight.detach().std()) < 0.03
    ours = load_pretrained(DnaBert2ForSequenceClassification, read_folder(tmp_path), **changes)
    assert torch.equal(ours.bert.pooler.dense.weight, mean)
    assert outputs(ours).logits.isfinite().all()
    from_none = model(DnaBert2Model)
    weights = from_none.embeddings.bases.convolution.convolutions[1].weight
    assert float(weights.detach().std()) == pytest.approx((128 * 5) ** -0.5, rel=0.05)


def test_configurations_without_the_keys_are_the_published_ones(tmp_path: Path) -> None:
    DnaBert2ForMaskedLM(DnaBert2Config(**SIZES)).save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert not set(written) & set(ADDED)
    found = read_folder(tmp_path).settings.encoder
    assert (found.base_features, found.alibi, found.pooling) == ("none", "symmetric", "cls")
    model(DnaBert2ForMaskedLM, pooling="cls").save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert set(written) & set(ADDED) == set(ADDED) - {"pooling"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spelling": None}, "spelling: is not there; base_features need"),
        ({"spelling": "A C"}, "spelling: has 2 tokens; vocab_size=12"),
        ({"base_features": "kmer"}, "the weights have besides 10 names, such as bert.embeddings.bases.conv"),
        ({"base_position": False}, "the weights have besides 1 names, such as bert.embeddings.bases.places"),
        ({"base_features": "bases"}, "base_features='bases': one of none, kmer"),
        ({"pooling": ["cls"]}, "pooling=.*: one of cls, mean"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    model(DnaBert2ForMaskedLM).save_pretrained(tmp_path)
    config = {**json.loads((tmp_path / "config.json").read_text()), **change}
    kept = {name: value for name, value in config.items() if value is not None}
    (tmp_path / "config.json").write_text(json.dumps(kept))
    with pytest.raises(ArgumentError, match=message) as caught:
        read_folder(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_vocabulary_can_be_resized(tmp_path: Path) -> None:
    masked = model(DnaBert2ForMaskedLM)
    before = outputs(masked).logits
    masked.resize_token_embeddings(14)
    assert difference(outputs(masked).logits[..., :12], before) < 1e-5
    masked.save_pretrained(tmp_path)
    assert read_folder(tmp_path).settings.encoder.spelling == f"{SPELLING} N N"


# -- training ---------------------------------------------------------------------------------------


class Sequences(torch.utils.data.Dataset):  # type: ignore[misc]
    """A few sequences of two kinds."""

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = torch.tensor([1, *[5 + 4 * (index % 2)] * (3 + index % 3), 2, 3, 3, 3][:8])
        return {"input_ids": row, "attention_mask": (row != 3).long(), "labels": torch.tensor(index % 2)}


@pytest.mark.filterwarnings("ignore:.(is_)?gradient_checkpointing. is deprecated:FutureWarning")
@pytest.mark.parametrize("with_lora", [False, True])
def test_trainer_trains_and_adapters_load(tmp_path: Path, with_lora: bool) -> None:
    model(DnaBert2ForMaskedLM).save_pretrained(tmp_path / "base")
    auto = transformers.AutoModelForSequenceClassification
    trained = auto.from_pretrained(tmp_path / "base", num_labels=2)
    if with_lora:
        peft = pytest.importorskip("peft")
        trained = peft.get_peft_model(trained, peft.LoraConfig(task_type="SEQ_CLS", r=4))
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "run"),
        max_steps=10,
        per_device_train_batch_size=8,
        learning_rate=1e-2,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        save_strategy="no",
    )
    trainer = transformers.Trainer(
        model=trained, args=arguments, train_dataset=Sequences(), eval_dataset=Sequences()
    )
    trainer.train()
    assert trainer.evaluate()["eval_loss"] < 0.5
    trained.save_pretrained(tmp_path / "saved")
    if with_lora:
        again = peft.PeftModel.from_pretrained(
            auto.from_pretrained(tmp_path / "base", num_labels=2), tmp_path / "saved"
        )
    else:
        again = auto.from_pretrained(tmp_path / "saved")
    assert difference(outputs(again).logits, outputs(trained).logits) < 1e-5


def test_pretrain_writes_what_embed_reads(tmp_path: Path) -> None:
    Tokenizer.train(LAMBDA, vocab_size=64).save(tmp_path / "tokenizer.json")
    changes = {"steps": 2, "batch": 4, "micro_batch": 4, "max_tokens": 32, "warmup": 0}
    config = configured(PretrainConfig, {"encoder": "tiny-1m-bases", **changes}, {})
    options: dict[str, Any] = {"tokenizer": str(tmp_path / "tokenizer.json"), "device": "cpu"}
    pretrain([LAMBDA], tmp_path / "model", config, **options)
    encoder = read_folder(tmp_path / "model").settings.encoder
    assert (encoder.base_features, encoder.num_heads) == ("kmer+conv", 8)
    assert len(encoder.spelling.split(" ")) == 64
    rows = ["ACGTTGCATTAGA", "GATTACA"]
    together = Embedder(str(tmp_path / "model"), device="cpu").vectors(rows)
    alone = Embedder(str(tmp_path / "model"), device="cpu").vectors(rows[1:])
    assert abs(together[1] - alone[0]).max() < 1e-5
    Tokenizer.kmer(3).save(tmp_path / "overlapping.json")
    options["tokenizer"] = str(tmp_path / "overlapping.json")
    said = "overlap or stand for both strands; .*; encoder=tiny-1m has no base features"
    with pytest.raises(ArgumentError, match=said):
        pretrain([LAMBDA], tmp_path / "none", config, **options)
    assert not (tmp_path / "none").exists()
