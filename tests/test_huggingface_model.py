"""The encoder inside `transformers`: published weights, saved and loaded, trained by `Trainer`, with LoRA."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: the extra `model`")
transformers = pytest.importorskip("transformers", reason="needs transformers: the extra `model`")
pytest.importorskip("accelerate", reason="needs accelerate, for transformers' Trainer")

from genotok.model import checkpoint  # noqa: E402
from genotok.model.config import MODEL_TYPE  # noqa: E402
from genotok.model.huggingface import (  # noqa: E402
    DnaBert2Config,
    DnaBert2ForMaskedLM,
    DnaBert2ForSequenceClassification,
    DnaBert2ForTokenClassification,
    DnaBert2Model,
)
from tests.support.encoder_cases import GOLDEN, difference, own_case  # noqa: E402

SIZES: dict[str, Any] = json.loads((GOLDEN / "case.json").read_text())["config"]


def batch() -> dict[str, Any]:
    _, _, outputs = own_case()
    return {name: outputs[name] for name in ("input_ids", "attention_mask", "token_type_ids")}


def published(kind: Any, **changes: Any) -> Any:
    """A model made of the published configuration and weights, in double precision."""
    model = kind(DnaBert2Config(**{**SIZES, **changes}))
    _, weights, _ = own_case()
    wanted = model.state_dict()
    if kind is DnaBert2Model:
        weights = {name.removeprefix("bert."): value for name, value in weights.items()}
    model.load_state_dict({name: weights[name] for name in wanted})
    return model.double().eval()


def test_masked_language_model_meets_the_published_outputs() -> None:
    _, _, outputs = own_case()
    model = published(DnaBert2ForMaskedLM)
    found = model(**batch(), output_hidden_states=True, output_attentions=True)
    assert difference(found.logits, outputs["mlm_logits"]) < 1e-10
    assert difference(found.hidden_states[1], outputs["layer.0"]) < 1e-10
    assert difference(found.hidden_states[2], outputs["layer.1"]) < 1e-10
    assert len(found.hidden_states) == 3
    real = batch()["attention_mask"].bool()
    for weights in found.attentions:
        assert weights.shape == (3, 4, 24, 24)
        sums = weights.sum(-1)
        assert difference(sums, real[:, None].expand_as(sums).double()) < 1e-12
        assert not weights.transpose(-1, -2)[~real[:, None].expand(-1, 4, -1)].any()
    assert model.bert.encoder.backend == "eager"
    with_labels = model(**batch(), labels=outputs["labels"])
    assert abs(with_labels.loss - outputs["mlm_loss"]) < 1e-10
    assert not with_labels.logits[outputs["labels"] <= 0].any()


def test_classifier_and_bare_model_meet_the_published_outputs() -> None:
    _, _, outputs = own_case()
    found = published(DnaBert2ForSequenceClassification)(**batch(), labels=outputs["cls_labels"])
    assert difference(found.logits, outputs["cls_logits"]) < 1e-10
    assert abs(found.loss - outputs["cls_loss"]) < 1e-10
    model = published(DnaBert2Model)
    found = model(**batch())
    assert difference(found.last_hidden_state, outputs["layer.1"]) < 1e-10
    assert difference(found.pooler_output, outputs["pooled"]) < 1e-10
    assert found.hidden_states is None
    assert isinstance(model(**batch(), return_dict=False), tuple)
    vectors = model.get_input_embeddings()(batch()["input_ids"])
    rest = {name: value for name, value in batch().items() if name != "input_ids"}
    assert difference(model(inputs_embeds=vectors, **rest).last_hidden_state, outputs["layer.1"]) < 1e-10


def test_what_is_saved_loads_through_the_auto_classes(tmp_path: Path) -> None:
    model = published(DnaBert2ForMaskedLM).float()
    model.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    expected = model(**batch())
    again = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    assert type(again) is DnaBert2ForMaskedLM
    assert difference(again(**batch()).logits, expected.logits) < 1e-4
    assert again.cls.predictions.decoder.weight is again.bert.embeddings.word_embeddings.weight
    bare = transformers.AutoModel.from_pretrained(tmp_path).eval()
    assert difference(bare(**batch()).last_hidden_state, model.bert(**batch()).last_hidden_state) < 1e-5
    classifier = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path, num_labels=5)
    assert classifier(**batch()).logits.shape == (3, 5)
    own = checkpoint.read(tmp_path)
    assert "bert.encoder.layer.1.attention.self.Wqkv.weight" in own


def test_the_configuration_of_the_published_files_is_mended() -> None:
    foreign = {
        "model_type": "bert",
        "architectures": ["BertForMaskedLM"],
        "auto_map": {"AutoModel": "bert_layers.BertModel"},
        "torch_dtype": "float32",
        "position_embedding_type": "absolute",
        "max_position_embeddings": 512,
        "alibi_starting_size": 512,
    }
    config = DnaBert2Config(**foreign)
    assert config.pad_token_id == 3
    assert DnaBert2Config(**foreign, pad_token_id=0).pad_token_id == 3
    assert DnaBert2Config(pad_token_id=0, unk_token_id=4).pad_token_id == 0
    assert config.to_dict()["model_type"] == MODEL_TYPE
    assert "auto_map" not in config.to_dict()
    assert sum(parameter.numel() for parameter in DnaBert2ForMaskedLM(config).parameters()) == 117_074_176
    with pytest.raises(ValueError, match="hidden_size=100"):
        DnaBert2Config(hidden_size=100)


def test_wrong_inputs_are_refused() -> None:
    model = DnaBert2Model(DnaBert2Config(**SIZES))
    with pytest.raises(ValueError, match="one of them is expected"):
        model()
    with pytest.raises(ValueError, match=r"attention_mask of shape \(1, 3\): \(1, 4\) is expected"):
        model(input_ids=torch.ones(1, 4, dtype=torch.long), attention_mask=torch.ones(1, 3))
    with pytest.raises(ValueError, match=r"an input of shape \(4,\)"):
        model(input_ids=torch.ones(4, dtype=torch.long))


def test_far_more_than_512_tokens() -> None:
    model = DnaBert2Model(DnaBert2Config(**SIZES)).eval()
    assert model(input_ids=torch.ones(1, 3000, dtype=torch.long)).last_hidden_state.shape == (1, 3000, 64)


def test_the_vocabulary_can_be_resized() -> None:
    model = DnaBert2ForMaskedLM(DnaBert2Config(**SIZES)).eval()
    before = model(**batch()).logits
    model.resize_token_embeddings(70)
    after = model(**batch()).logits
    assert after.shape[-1] == 70
    assert difference(after[..., :64], before) < 1e-5


class Sequences(torch.utils.data.Dataset):  # type: ignore[misc]
    """A few sequences of two kinds."""

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> dict[str, Any]:
        row = torch.full((10 + index % 3,), 5 + index % 2)
        mask = torch.ones_like(row)
        pad = (0, 12 - len(row))
        return {
            "input_ids": torch.nn.functional.pad(row, pad, value=3),
            "attention_mask": torch.nn.functional.pad(mask, pad),
            "labels": torch.tensor(index % 2),
        }


def train(model: Any, folder: Path, **options: Any) -> Any:
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        max_steps=8,
        per_device_train_batch_size=4,
        learning_rate=1e-2,
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
        **options,
    )
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=Sequences(), eval_dataset=Sequences()
    )
    trainer.train()
    return trainer


# transformers 5.2x renames what peft and older versions of itself know by this name only.
renamed = pytest.mark.filterwarnings("ignore:.(is_)?gradient_checkpointing. is deprecated:FutureWarning")


@renamed
def test_trainer_trains_saves_and_evaluates(tmp_path: Path) -> None:
    model = DnaBert2ForSequenceClassification(DnaBert2Config(**{**SIZES, "num_labels": 2}))
    trainer = train(model, tmp_path, save_steps=8, gradient_checkpointing=True)
    assert trainer.evaluate()["eval_loss"] < 0.5
    folder = tmp_path / "checkpoint-8"
    again = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    item = {name: value[None] for name, value in Sequences()[1].items() if name != "labels"}
    assert difference(again(**item).logits, model.eval()(**item).logits) < 1e-5


@renamed
def test_lora_finds_its_targets_by_itself(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    model = DnaBert2ForSequenceClassification(DnaBert2Config(**{**SIZES, "num_labels": 2}))
    adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="SEQ_CLS", r=4))
    trained = [name for name, parameter in adapted.named_parameters() if parameter.requires_grad]
    assert sum("Wqkv.lora_A" in name for name in trained) == 2
    assert any("classifier" in name for name in trained)
    trainer = train(adapted, tmp_path)
    adapted.save_pretrained(tmp_path / "adapter")
    fresh = DnaBert2ForSequenceClassification(DnaBert2Config(**{**SIZES, "num_labels": 2}))
    fresh.load_state_dict(model.state_dict(), strict=False)
    assert trainer.evaluate()["eval_loss"] < 0.69
    assert (tmp_path / "adapter" / "adapter_model.safetensors").stat().st_size < 100_000


def test_token_classification() -> None:
    model = DnaBert2ForTokenClassification(DnaBert2Config(**SIZES))
    labels = torch.where(batch()["attention_mask"] == 1, 2, -100)
    found = model(**batch(), labels=labels)
    assert found.logits.shape == (3, 24, 3)
    found.loss.backward()
