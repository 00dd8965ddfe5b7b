"""Writing model folders, the same for `pretrain`, `finetune`, `compare` and `convert`.

A folder holds `config.json`, `model.safetensors`, the tokenizer's files, a card (`README.md`) and a manifest
(`genotok.json`) with the digests of the others. It is written atomically (`genotok.files.folders`); in the
folder of a run, each file is renamed in turn, the manifest last.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from genotok import __version__
from genotok.files.folders import AtomicFolder
from genotok.files.identity import file_sha256, vocabulary_sha256
from genotok.files.reading import read_bytes
from genotok.model_folder.card import FRONT
from genotok.model_folder.read import MANIFEST
from genotok.model_folder.tokenizer_files import TOKENIZER
from genotok.model_folder.write_errors import write_errors
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from genotok.model_folder.card import Card
    from genotok.model_folder.tokenizer_files import FolderTokenizer

__all__ = ["CARD", "KIND", "MANIFEST", "save_folder"]

CARD = "README.md"
OTHER_CARD = "MODEL_CARD.md"
"""The name of the card if the folder of a run has a README of the user."""

KIND = "genotok model"


def save_folder(
    model: Any,
    folder: Path,
    *,
    tokenizer: FolderTokenizer,
    card: Card,
    weights: Mapping[str, Any] | None = None,
    beside: bool = False,
) -> dict[str, Any]:
    """Write a model's folder atomically.

    Args:
        model: A model of `genotok.model.huggingface`.
        folder: The folder.
        tokenizer: The tokenizer that it was trained with.
        card: The contents of its card and its manifest.
        weights: Its weights, if they were gathered from several processes.
        beside: Whether the folder has other files, which stay.

    Returns:
        The manifest.

    Raises:
        OSError: It cannot be written.
    """
    with AtomicFolder(folder, into=beside) as saved:
        # Gathered weights are copies, which hides from transformers that two of them are one.
        tied = model.all_tied_weights_keys
        own = None if weights is None else {name: weights[name] for name in weights if name not in tied}
        model.config.tokenizer_sha256 = vocabulary_sha256(tokenizer.tokenizer)
        with write_errors(folder):
            model.save_pretrained(saved.path, state_dict=own)
        for name, content in tokenizer.files().items():
            saved.write(name, content)
        digests = {path.name: str(file_sha256(path)) for path in sorted(saved.path.iterdir())}
        stored = Tokenizer.from_file(saved.path / TOKENIZER)
        facts = {
            "fast": "model" in json.loads(stored.to_json()),
            "upper": stored.encode("acgt" * 4) == stored.encode("ACGT" * 4),
        }
        config = json.loads(read_bytes(saved.path / "config.json"))
        name = CARD if not beside or _may_write(folder / CARD) else OTHER_CARD
        text = card.markdown(config, digests, **facts)
        saved.write(name, text.encode(errors="backslashreplace"))  # names of files may be no text
        manifest = {"kind": KIND, "genotok": __version__, **card.manifest, "files": digests}
        saved.write(MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
        saved.commit(last=MANIFEST)
    return manifest


def _may_write(card: Path) -> bool:
    """Whether the file is missing or a card that genotok wrote."""
    try:
        return read_bytes(card).startswith(FRONT.encode())
    except FileNotFoundError:
        return True
