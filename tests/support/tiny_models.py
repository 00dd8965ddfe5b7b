"""Tokenizers and masked language models that are made in milliseconds, with weights that say something."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import torch

from genotok import Tokenizer, _native
from genotok.model import EncoderConfig, MaskedLanguageModel
from genotok.model.checkpoint import write
from genotok.options import TrainOptions

__all__ = ["tiny_folder", "tiny_model", "tiny_tokenizer"]


@cache
def tiny_tokenizer(vocab_size: int) -> Tokenizer:
    """A tokenizer of so many tokens, special ones included."""
    words = [(_native.simulate(20_000, 5).decode(), 1)]
    options = TrainOptions(vocab_size=vocab_size)
    return Tokenizer(_native.Tokenizer.train_words(words, options, threads=1, seed=None))


def tiny_model(tokenizer: Tokenizer, layers: int = 1) -> MaskedLanguageModel:
    """A model of width 16, the same each time; its weights are random and large, so that rows differ."""
    config = EncoderConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=16,
        num_layers=layers,
        num_heads=2,
        intermediate_size=20,
        hidden_dropout=0.0,
        initializer_range=0.4,
    )
    torch.manual_seed(1)
    return MaskedLanguageModel(config).eval()


def tiny_folder(folder: Path, tokenizer: Tokenizer) -> Path:
    """`tiny_model` in a folder."""
    model = tiny_model(tokenizer)
    write(model, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(model.config.to_published()))
    tokenizer.save(folder / "tokenizer.json")
    return folder
