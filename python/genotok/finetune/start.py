"""What the classifier of a set starts from: a model's folder, or nothing but the set's own train split.

Without a model, the vocabulary is of k-mers, or is trained on the sequences of train alone, both strands of
them unless they are of one strand, so that nothing of dev or test reaches the model; and all weights are new.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch

from genotok.errors import ArgumentError
from genotok.files.identity import vocabulary_sha256
from genotok.finetune.config import BPE
from genotok.model import EncoderConfig
from genotok.model.huggingface import DnaBert2Config, DnaBert2ForSequenceClassification
from genotok.model_folder.pretrained import config_of, load_pretrained
from genotok.model_folder.spelling import spelling_for
from genotok.study.subjects import named_kmers
from genotok.tokenizer import Tokenizer
from genotok.tokenizer.special_ids import SpecialIds
from genotok.training.log import quietly
from genotok.training.new_encoder import new_encoder

if TYPE_CHECKING:
    from genotok.evaluation.problem import Problem
    from genotok.finetune.config import FinetuneConfig
    from genotok.gue import LabelledSplit
    from genotok.model_folder.read import ModelFolder

__all__ = ["Start", "classifier", "encoder_of", "has_places", "of_name", "of_train", "settings_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What the classifiers of a set start from.

    Attributes:
        tokenizer: The tokenizer.
        encoder: Sizes and settings of the encoder.
        folder: The folder that has them; None for new weights of `encoder`.
        token_identities: Whether tokens have embeddings of their own (`FinetuneConfig`).
    """

    tokenizer: Tokenizer
    encoder: EncoderConfig
    folder: ModelFolder | None = None
    token_identities: bool = True

    def classifier(self, problem: Problem, *, fresh: bool = False, **changes: Any) -> Any:
        """A new classifier on the encoder, with `changes` to its configuration; `fresh`: all weights are new.

        Raises:
            ArgumentError: The weights are damaged.
            OSError: They cannot be read.
        """
        if self.folder is not None:
            return classifier(self.folder, problem, fresh=fresh, **changes)
        special = SpecialIds.of(self.tokenizer)
        settings = {
            **self.encoder.to_published(),
            "pad_token_id": special.padding,
            "unk_token_id": special.unknown,
            "cls_token_id": special.first,
            "sep_token_id": special.end,
            "mask_token_id": special.mask,
            "tokenizer_sha256": vocabulary_sha256(self.tokenizer),
        }
        model = DnaBert2ForSequenceClassification(
            DnaBert2Config(**{**settings, **problem.config(), **changes})
        )
        if not self.token_identities:
            words: Any = model.get_input_embeddings()
            words.weight.requires_grad = False
            torch.nn.init.zeros_(words.weight)
        return model


def classifier(folder: ModelFolder, problem: Problem, *, fresh: bool = False, **changes: Any) -> Any:
    """A model's encoder with a new classifier; with `fresh` all weights are new.

    Raises:
        ArgumentError: The weights are damaged.
        OSError: They cannot be read.
    """
    settings = {**problem.config(), **changes}
    if fresh:
        return DnaBert2ForSequenceClassification(config_of(folder, **settings))
    with quietly():
        return load_pretrained(DnaBert2ForSequenceClassification, folder, **settings)


def of_train(train: LabelledSplit, config: FinetuneConfig, *, stranded: bool, threads: int | None) -> Start:
    """A vocabulary trained on a train split, and an encoder of new weights.

    Args:
        train: The train split.
        config: It has the name of the encoder and the size of the vocabulary.
        stranded: Whether sequences are of one strand, so that the other is not counted.
        threads: Threads of training the vocabulary; they do not change it.
    """
    with TemporaryDirectory(prefix="genotok-") as folder:
        path = os.path.join(folder, "train.fa")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(
                f">{number}\n{one}\n" for number, one in enumerate(train.sequences + train.partners)
            )
        tokenizer = Tokenizer.train(
            path, vocab_size=config.vocab, both_strands=not stranded, allow_unknown=1.0, threads=threads
        )
    return _new(tokenizer, config)


def of_name(config: FinetuneConfig) -> Start | None:
    """The k-mers that the settings name, and an encoder of new weights; None if they name none.

    Raises:
        ArgumentError: The encoder sees bases, and the k-mers of a sequence do not spell it.
    """
    return None if config.tokenizer == BPE else _new(named_kmers(config.tokenizer).tokenizer, config)


def _new(tokenizer: Tokenizer, config: FinetuneConfig) -> Start:
    """A tokenizer and an encoder of new weights."""
    sizes = encoder_of(config, vocab_size=tokenizer.vocab_size)
    if sizes.base_features != "none":
        sizes = sizes.with_changes(spelling=spelling_for(tokenizer))
    return Start(tokenizer, sizes, token_identities=config.token_identities)


def encoder_of(config: FinetuneConfig, **sizes: int) -> EncoderConfig:
    """The encoder without a model (`genotok.training.new_encoder`).

    Raises:
        ArgumentError: The settings do not go together.
    """
    found = new_encoder(config, **sizes)
    if not config.token_identities and (found.base_features == "none" or config.pretrain_steps):
        rule = "base_features, and no pretrain_steps, which predict tokens, are expected"
        raise ArgumentError(f"token_identities=False: {rule}")
    return found


def has_places(encoder: EncoderConfig, config: FinetuneConfig, *, aligned: bool) -> bool:
    """Whether the features of bases know places (`FinetuneConfig.base_position`).

    LoRA does not train the table of places, so that it gets none that the model does not have.

    Raises:
        ArgumentError: They are asked to, and the encoder has no features of bases.
    """
    sees_bases = encoder.base_features != "none"
    if config.base_position and not sees_bases:
        raise ArgumentError("base_position=True: the encoder has no features of bases (base_features)")
    if config.base_position is not None:
        return config.base_position
    return encoder.base_position or (sees_bases and aligned and not config.lora)


def settings_of(encoder: EncoderConfig, config: FinetuneConfig, *, aligned: bool) -> dict[str, Any]:
    """What fine-tuning changes in the configuration of an encoder; nothing that it already says."""
    found: dict[str, Any] = {}
    if config.dropout is not None:
        found |= {"hidden_dropout_prob": config.dropout, "classifier_dropout": None}
    if config.pooling is not None:
        found["pooling"] = config.pooling
    if (places := has_places(encoder, config, aligned=aligned)) != encoder.base_position:
        found["base_position"] = places
    return found
