"""Reading a model's folder, checked before memory is allocated; without torch and transformers.

Only the keys of this architecture's configuration are used, so that no other setting of a folder reaches the
loaders of another library. Each error is one line: file, key or tensor, what was found, what is expected.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genotok.errors import ArgumentError, GenotokError, VocabularyError
from genotok.files.documents import read_object
from genotok.files.identity import file_sha256, object_sha256, vocabulary_sha256
from genotok.model.stored import Stored, stored_in, weights_file
from genotok.model_folder.layout import CLASSIFIER, POOLER, check_fit, normalised
from genotok.model_folder.settings import Settings
from genotok.tokenizer import Tokenizer

__all__ = ["CONFIG", "MANIFEST", "TOKENIZER", "ModelFolder", "read_folder", "read_settings"]

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
MANIFEST = "genotok.json"
ROLES = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
"""Files that a folder may have next to a tokenizer."""

ADAPTERS = ("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")
INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The files of a model's folder, checked against each other.

    Attributes:
        path: The folder.
        settings: The contents of `config.json`.
        weights: The file of weights; None if there is none.
        tensors: Its tensors, by their names in a model with a head.
        manifest: The manifest that genotok wrote; empty if there is none.
    """

    path: Path
    settings: Settings
    weights: Path | None
    tensors: Mapping[str, Stored]
    manifest: Mapping[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of a classifier's outputs."""
        return self.settings.classes

    @property
    def problem_type(self) -> str | None:
        """The type of a classifier's outputs, as transformers names it."""
        return self.settings.problem_type

    @property
    def parameters(self) -> int:
        """The count of numbers in the file of weights."""
        return sum(one.size for one in self.tensors.values())

    @property
    def is_classifier(self) -> bool:
        """Whether there are weights of a classifier, of sequences or of tokens."""
        return CLASSIFIER in self.tensors

    def check_classifier(self) -> None:
        """Raise an error unless the weights are those of a classifier of sequences.

        Raises:
            ArgumentError: They are not.
        """
        for name in (POOLER, CLASSIFIER):
            if name not in self.tensors:
                raise ArgumentError(
                    f"{self.path}: is no classifier: its weights lack {name}; fine-tune it first"
                )

    def tokenizer(self, given: Tokenizer | str | os.PathLike[str] | None = None) -> Tokenizer:
        """The tokenizer in the folder, or the given one, which must be the model's.

        Raises:
            ArgumentError: The model was trained with another tokenizer.
            VocabularyError: The file is not a tokenizer.
            OSError: The file cannot be read.
        """
        file = self.path / TOKENIZER if given is None else given
        if given is None:
            _check_plain(self.path)
        found = file if isinstance(file, Tokenizer) else Tokenizer.from_file(file)
        size = self.settings.encoder.vocab_size
        if found.vocab_size != size:
            raise ArgumentError(
                f"{self.path}: the model knows {size:,} tokens and the tokenizer has {found.vocab_size:,}; "
                "give the tokenizer that the model was trained with"
            )
        digest = self.settings.tokenizer_sha256
        if digest is not None and vocabulary_sha256(found) != digest:
            where = self.path / TOKENIZER if given is None else "the tokenizer"
            raise ArgumentError(
                f"{self.path}: the model was trained with another tokenizer of {size:,} tokens than {where}: "
                "its vocabulary or merges differ (tokenizer_sha256 in config.json); give the one that it was "
                "trained with"
            )
        return found

    def check_finite(self) -> None:
        """Raise an error if a weight is not finite; reads the file once.

        Raises:
            ArgumentError: A weight is not finite.
            OSError: The file cannot be read.
        """
        from genotok.model_folder.finite import check_finite  # noqa: PLC0415 - loads numpy

        if self.weights is not None:
            check_finite(self.weights, self.tensors)

    def check_weights(self) -> None:
        """Raise an error unless the file of weights has the digest in the manifest, if there is one.

        Raises:
            ArgumentError: The file was truncated, altered or replaced.
            OSError: It cannot be read.
        """
        if self.weights is not None and self.weights.name in _files(self.manifest):
            self._weights_sha256(self.weights)

    def digests(self) -> dict[str, Any]:
        """The digests that identify the model in a run: of its weights, sizes and tokenizer.

        Raises:
            ArgumentError: The weights are not those that genotok wrote.
            OSError: A file cannot be read.
        """
        config = {"config": object_sha256({**self.settings.encoder.to_published(), **self.settings.special})}
        weights = {} if self.weights is None else {"weights": self._weights_sha256(self.weights)}
        return {"model": config | weights, "tokenizer": vocabulary_sha256(self.tokenizer())}

    def identities(self) -> dict[str, str | None]:
        """The digests of weights and vocabulary, and whether the files are those that were written.

        Raises:
            OSError: A file cannot be read.
        """
        found: dict[str, str | None] = {}
        faults = []
        for name, noted in _files(self.manifest).items():
            path = self.path / os.path.basename(name)
            now = file_sha256(path) if path.is_file() else ""
            if now != noted:
                faults.append(f"{path.name} {'was altered since' if now else 'is missing'}")
            found[path.name] = now
        if self.weights is not None:
            found["weights_sha256"] = found.get(self.weights.name) or file_sha256(self.weights)
        if os.path.lexists(self.path / TOKENIZER):
            try:
                found["vocabulary_sha256"] = vocabulary_sha256(self.tokenizer())
            except (ArgumentError, VocabularyError):
                faults.append(f"{TOKENIZER} is not that of the model")
        good = f"all files are as written ({MANIFEST})" if self.manifest else None
        told = f"does not match: {', '.join(faults)}" if faults else good
        digests = {name: one for name, one in found.items() if name.endswith("_sha256")}
        return {**digests, "identity": told}

    def _weights_sha256(self, weights: Path) -> str | None:
        """The digest of the weights, checked against the manifest."""
        found, noted = file_sha256(weights), _files(self.manifest).get(weights.name)
        if noted is not None and found != noted:
            raise ArgumentError(
                f"{weights}: was altered or replaced since it was written (its digest in {MANIFEST} "
                f"differs); get it anew, or if you replaced it on purpose, remove {MANIFEST}"
            )
        return found


def read_settings(file: Path) -> Settings:
    """The settings in a `config.json`.

    Raises:
        ArgumentError: It is damaged, or of another architecture.
        OSError: It cannot be read.
    """
    try:
        return Settings.of(read_object(file, "the configuration of a model"))
    except GenotokError:
        raise
    except ValueError as error:
        raise ArgumentError(f"{file}: {error}") from None


def read_folder(path: str | os.PathLike[str], *, need_weights: bool = True) -> ModelFolder:
    """Read and check the files of a model's folder.

    Args:
        path: A folder with config.json and model.safetensors or pytorch_model.bin.
        need_weights: Whether missing weights are an error.

    Raises:
        ArgumentError: A file is damaged, of another architecture, or does not fit the others.
        OSError: The folder or a file in it is missing, or cannot be read.
    """
    folder = Path(path)
    if not folder.is_dir():
        wanted = "no such folder; one with config.json and model.safetensors is expected"
        raise FileNotFoundError(errno.ENOENT, wanted, os.fspath(folder))
    for name in ADAPTERS:
        if os.path.lexists(folder / name):
            raise ArgumentError(
                f"{folder / name}: belongs to an adapter; merge it into its model and save that "
                "(peft: merge_and_unload, save_pretrained)"
            )
    settings = read_settings(folder / CONFIG)
    manifest: dict[str, Any] = {}
    if os.path.lexists(folder / MANIFEST):
        manifest = read_object(folder / MANIFEST, "the manifest of a model")
    weights = _weights(folder, need_weights)
    _check_memory(folder, settings)
    if weights is None:
        return ModelFolder(folder, settings, None, {}, manifest)
    try:
        tensors = normalised(stored_in(weights))
    except ValueError as error:
        raise ArgumentError(str(error)) from None
    try:
        check_fit(settings.encoder, len(settings.classes), tensors)
    except ValueError as error:
        raise ArgumentError(f"{weights}: {error}") from None
    return ModelFolder(folder, settings, weights, tensors, manifest)


def _check_plain(folder: Path) -> None:
    """Raise an error if a file of the tokenizer is a pipe or a device, which may block a reader."""
    for name in (TOKENIZER, *ROLES):
        path = folder / name
        if path.exists() and not path.is_file():
            raise ArgumentError(f"{path}: is no regular file; a tokenizer's is expected")


def _files(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """The digests in a manifest, by name of the file."""
    found = manifest.get("files")
    return found if isinstance(found, dict) else {}


def _weights(folder: Path, need_weights: bool) -> Path | None:
    """The file of weights in a folder."""
    try:
        return weights_file(folder)
    except FileNotFoundError:
        for name in INDICES:
            if os.path.lexists(folder / name):
                raise ArgumentError(
                    f"{folder / name}: the weights are in several files; save them as one "
                    "(save_pretrained with max_shard_size of more than their size)"
                ) from None
        if need_weights:
            raise
        return None


def _check_memory(folder: Path, settings: Settings) -> None:
    """Raise an error if weights of these sizes exceed the machine's memory; a sparse file may claim them."""
    sizes = settings.encoder
    width, inner = sizes.hidden_size, sizes.intermediate_size
    number = sizes.vocab_size * width + sizes.num_layers * width * (4 * width + 3 * inner)
    if "SC_PHYS_PAGES" not in os.sysconf_names:
        return
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if 4 * number > there:
        raise ArgumentError(
            f"{folder / CONFIG}: {number:,} parameters take {4 * number / 1e9:.0f} GB, and the machine has "
            f"{there / 1e9:.0f}; smaller sizes are expected"
        )
