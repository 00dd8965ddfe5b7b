"""Conversion of published DNABERT-2 folders into model folders: the same weights, checked by digest."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from genotok.files.folders import output_folder
from genotok.files.identity import file_sha256
from genotok.files.reading import read_bytes
from genotok.model_folder.card import Card
from genotok.model_folder.plain import PlainModel
from genotok.model_folder.pretrained import config_of
from genotok.model_folder.read import MANIFEST, read_folder
from genotok.model_folder.tokenizer_files import FolderTokenizer
from genotok.model_folder.write import KIND, save_folder
from genotok.run_records.provenance import command_line
from genotok.tokenizer.special_ids import SpecialIds

if TYPE_CHECKING:
    from pathlib import Path

    from genotok.model_folder.read import ModelFolder

__all__ = ["convert"]

MADE_BY = "convert"
FILES = ("pytorch_model.bin", "model.safetensors", "config.json", "tokenizer.json")
"""The files of a published folder that are read."""


def convert(
    source: str | os.PathLike[str], output: str | os.PathLike[str], *, force: bool = False
) -> dict[str, Any]:
    """Convert a published folder into one for all genotok commands and for transformers.

    Weights keep their values and their type; the tokenizer gives the same ids as before, also for lower case.

    Args:
        source: A folder with config.json, tokenizer.json and pytorch_model.bin or model.safetensors, as
            zhihan1996/DNABERT-2-117M and zhihan1996/DNABERT-S have them; code in it is not run.
        output: The new folder.
        force: Whether to replace a folder that `convert` made.

    Returns:
        The manifest of the new folder.

    Raises:
        ArgumentError: The source is not such a model, or is damaged; or the output exists.
        VocabularyError: genotok cannot read its tokenizer.
        OSError: A file cannot be read or written.
    """
    read, made = os.fspath(source), os.fspath(output)
    with output_folder(made, inputs=[read], is_ours=_is_ours, force=force) as target:
        found = read_folder(source)
        tokenizer = found.tokenizer()
        special = SpecialIds.of(tokenizer)
        config = config_of(
            found,
            pad_token_id=special.padding,
            unk_token_id=special.unknown,
            cls_token_id=special.first,
            sep_token_id=special.end,
            mask_token_id=special.mask,
        )
        model = PlainModel(found, config)
        facts = _facts(found, model)
        base = facts["base"]
        card = Card(
            title=f"{base}, converted",
            summary=(
                f"The weights of `{base}` under the names that genotok and transformers load, without code "
                f"from its repository. SHA-256 of the tensors, before and after: `{model.sha256}`."
            ),
            command=facts["command"],
            data=facts["data"],
            manifest=facts,
        )
        saved = FolderTokenizer(tokenizer, special, keep_case=True)
        return save_folder(model, target, tokenizer=saved, card=card)


def _facts(found: ModelFolder, model: PlainModel) -> dict[str, Any]:
    """The manifest's facts of a conversion."""
    files = [found.path / name for name in FILES if (found.path / name).is_file()]
    return {
        "made_by": MADE_BY,
        "command": command_line(),
        "base": found.path.resolve().name,
        "data": [
            {"file": path.name, "bytes": path.stat().st_size, "SHA-256": file_sha256(path)} for path in files
        ],
        "parameters": sum(tensor.numel() for tensor in model.tensors.values()),
        "architecture": model.config.architectures[0],
        "tensors_sha256": model.sha256,
    }


def _is_ours(folder: Path) -> bool:
    """Whether `convert` made the folder."""
    try:
        found = json.loads(read_bytes(folder / MANIFEST))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and (found.get("kind"), found.get("made_by")) == (KIND, MADE_BY)
