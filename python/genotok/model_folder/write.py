"""Model folders as genotok leaves them, all alike: by `pretrain`, `finetune`, `compare` and `convert`.

A folder holds `config.json`, `model.safetensors`, the tokenizer's files, a card (`README.md`) and a manifest
(`genotok.json`) with the digests of the others. All is written to a folder with another name and flushed
first; then the folder gets its name, or where it is that of a run, each file does, the manifest last.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from genotok import __version__
from genotok.files.folders import AtomicFolder
from genotok.files.identity import file_sha256, vocabulary_sha256
from genotok.model_folder.card import FRONT
from genotok.model_folder.read import MANIFEST
from genotok.model_folder.tokenizer_files import TOKENIZER, tokenizer_files
from genotok.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from genotok.model_folder.card import Card
    from genotok.model_folder.tokenizer_files import SpecialRoles

__all__ = ["CARD", "KIND", "MANIFEST", "save_folder"]

CARD = "README.md"
OTHER_CARD = "MODEL_CARD.md"
"""Where the card goes if the user has a README in the folder of a run."""

KIND = "genotok model"


def save_folder(
    model: Any,
    folder: Path,
    *,
    tokenizer: Tokenizer,
    special: SpecialRoles,
    card: Card,
    made: Mapping[str, Any],
    max_tokens: int | None = None,
    weights: Mapping[str, Any] | None = None,
    beside: bool = False,
    keep_case: bool = False,
) -> dict[str, Any]:
    """Write a model's folder, so that a kill at any moment leaves the one before or this one.

    Args:
        model: A model of `genotok.model.huggingface`.
        folder: Where it is to be.
        tokenizer: As it was trained with.
        special: What stood around its sequences.
        card: What its card tells.
        made: What its manifest tells of how it was made.
        max_tokens: Where longer inputs were cut in training; None if none were.
        weights: Its weights, where they were gathered from several processes.
        beside: Whether the folder holds other files as well, which stay.
        keep_case: Leave lower case as the tokenizer reads it; in training it was upper case.

    Returns:
        The manifest.

    Raises:
        OSError: It cannot be written.
    """
    with AtomicFolder(folder, into=beside) as saved:
        # Gathered weights are copies, which hides from transformers that two of them are one.
        tied = model.all_tied_weights_keys
        own = None if weights is None else {name: weights[name] for name in weights if name not in tied}
        model.config.tokenizer_sha256 = vocabulary_sha256(tokenizer)
        model.save_pretrained(saved.path, state_dict=own)
        for name, content in tokenizer_files(tokenizer, special, max_tokens, keep_case=keep_case).items():
            saved.write(name, content)
        digests = {path.name: str(file_sha256(path)) for path in sorted(saved.path.iterdir())}
        stored = Tokenizer.from_file(saved.path / TOKENIZER)
        facts = {
            "fast": "model" in json.loads(stored.to_json()),
            "upper": stored.encode("acgt" * 4) == stored.encode("ACGT" * 4),
        }
        config = json.loads((saved.path / "config.json").read_bytes())
        name = CARD if not beside or _may_write(folder / CARD) else OTHER_CARD
        text = card.markdown(config, digests, **facts)
        saved.write(name, text.encode(errors="backslashreplace"))  # names of files may be no text
        manifest = {"kind": KIND, "genotok": __version__, **made, "files": digests}
        saved.write(MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
        saved.commit(last=MANIFEST)
    return manifest


def _may_write(card: Path) -> bool:
    """Whether there is no file, or a card of ours."""
    try:
        return card.read_bytes().startswith(FRONT.encode())
    except FileNotFoundError:
        return True
