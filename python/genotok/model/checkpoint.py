"""Weights from and to files, under the names of the published checkpoint.

Files to read are safetensors, or torch's `.bin`, `.pt` and `.pth` that hold tensors and nothing else: a
pickle may run code when it is loaded, so that any other content is refused before it runs. Files are written
atomically, as safetensors.

The published file has no pooler and no classifier, and has the output embeddings, which are tied to the word
embeddings, twice. Files of the bare encoder lack the prefix `bert.`; both forms load into both models.
"""

from __future__ import annotations

import os
import pickle
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from genotok.model.spelling import resized
from genotok.model.stored import CheckpointError, stored_in, weights_file

__all__ = ["CheckpointError", "LoadReport", "load", "read", "resize_vocabulary", "write"]

PREFIX = "bert."
WORDS = "embeddings.word_embeddings.weight"
SCORES = "cls.predictions.decoder.weight"
NAMES_SHOWN = 6
FLOATS = {"F16", "BF16", "F32", "F64"}


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The names that a file and a model do not share.

    Attributes:
        missing: Names that only the model has; these weights are unchanged.
        unexpected: Names that only the file has; ignored.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]


def load(model: nn.Module, path: str | os.PathLike[str], *, strict: bool = True) -> LoadReport:
    """Load the weights at `path` into `model`; an error leaves the model unchanged.

    Args:
        model: An encoder, or one with a head.
        path: A file, or a folder with `model.safetensors` or `pytorch_model.bin`.
        strict: Require the same names in file and model.

    Raises:
        CheckpointError: The file is damaged, holds more than tensors, has tensors of other shapes, or
            (strict) other names; the message says which.
        OSError: The file cannot be read.
    """
    found = _with_the_prefix_of(model, read(path))
    wanted = model.state_dict()
    _complete_ties(found, wanted, path)
    report = LoadReport(
        missing=tuple(name for name in wanted if name not in found),
        unexpected=tuple(name for name in found if name not in wanted),
    )
    _check_shapes(found, wanted, path)
    if strict and (report.missing or report.unexpected):
        raise CheckpointError(
            f"{os.fspath(path)}: the names do not fit the model: {_listed('missing', report.missing)}; "
            f"{_listed('unexpected', report.unexpected)}; strict=False loads what fits"
        )
    model.load_state_dict({name: found[name] for name in wanted if name in found}, strict=False)
    return report


def read(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors in a file of weights, by name, on the CPU; no code in the file is run.

    The header of the file is checked first (`stored_in`), before memory is allocated for tensors.

    Raises:
        CheckpointError: The file is damaged, or holds more than finite floating-point numbers.
        OSError: The file cannot be read.
    """
    file = weights_file(Path(path))
    for name, stored in stored_in(file).items():
        if stored.dtype not in FLOATS:
            raise CheckpointError(f"{file}: {name} is {stored.dtype}; floating-point weights are expected")
    found = _read_safetensors(file) if file.suffix == ".safetensors" else _read_pickle(file)
    for name, tensor in found.items():
        _check_finite(file, name, tensor)
    return found


def write(model: nn.Module, path: str | os.PathLike[str]) -> None:
    """Write the weights of `model` atomically to the safetensors file `path`.

    Raises:
        CheckpointError: The name does not end in `.safetensors`.
        OSError: The file cannot be written.
    """
    target = Path(path)
    if target.suffix != ".safetensors":
        raise CheckpointError(
            f"{target}: weights are written as safetensors; a name in .safetensors is expected"
        )
    tensors = {name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()}
    _write_atomic(target, save(tensors, metadata={"format": "pt"}))


def resize_vocabulary(model: nn.Module, vocab_size: int, *, generator: torch.Generator | None = None) -> None:
    """Change the vocabulary size of an encoder, or of one with a head, in place.

    Rows of ids that remain are kept; new rows are initialised as in a new model, their output biases are 0.

    Args:
        model: An encoder, or one with a head, of this package.
        vocab_size: The new number of tokens.
        generator: The source of new rows; torch's default generator if left out.

    Raises:
        ValueError: `vocab_size` is against its rule.
    """
    whole: Any = model
    encoder = getattr(whole, "bert", whole)
    spelling = resized(encoder.config.spelling, vocab_size)
    config = encoder.config.with_changes(vocab_size=vocab_size, spelling=spelling)
    words = encoder.embeddings.word_embeddings
    fresh = torch.empty(vocab_size, config.hidden_size, dtype=words.weight.dtype)
    fresh.normal_(std=config.initializer_range, generator=generator)
    kept = min(vocab_size, words.num_embeddings)
    weight = fresh.to(words.weight.device)
    weight[:kept] = words.weight.detach()[:kept]
    words.weight, words.num_embeddings = nn.Parameter(weight), vocab_size
    for module in whole.modules():
        if hasattr(module, "config"):
            module.config = config
        if hasattr(module, "spelling"):
            module.spelling = spelling
    if hasattr(whole, "cls"):
        decoder = whole.cls.predictions.decoder
        bias = decoder.bias.new_zeros(vocab_size)
        bias[:kept] = decoder.bias.detach()[:kept]
        decoder.weight, decoder.bias, decoder.out_features = words.weight, nn.Parameter(bias), vocab_size


def _read_safetensors(file: Path) -> dict[str, Tensor]:
    try:
        return load_file(file)
    except SafetensorError as error:
        raise CheckpointError(f"{file}: damaged, or no safetensors file ({error})") from None
    except (OSError, MemoryError, RuntimeError) as error:  # without the file's name, or none of the system
        reason = str(error).partition("\n")[0]
        raise OSError(f"{file}: cannot be mapped into memory: {reason}") from None


def _read_pickle(file: Path) -> dict[str, Tensor]:
    """The tensors of a torch file, memory-mapped; its pickle was checked before (`pickled`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about pickles it did not write, then refuses them
        try:
            found: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        except pickle.UnpicklingError:
            raise CheckpointError(f"{file}: holds more than tensors, or is damaged; refused") from None
        except Exception as error:  # noqa: BLE001 - what a damaged file makes torch stumble over is no fixed set
            reason = str(error).partition("\n")[0]
            raise CheckpointError(f"{file}: damaged, or no file of weights ({reason})") from None
    return dict(found)


def _check_finite(file: Path, name: str, tensor: Tensor) -> None:
    """Raise an error if a tensor has an infinite number or a NaN; one pass, no copy."""
    if not tensor.numel():
        return
    least, most = torch.aminmax(tensor.detach())  # both are NaN if one number is
    if not (torch.isfinite(least) and torch.isfinite(most)):
        raise CheckpointError(
            f"{file}: {name} holds numbers that are not finite (NaN or infinity); "
            "use weights from before training diverged"
        )


def _with_the_prefix_of(model: nn.Module, found: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names that they have in a file of this model."""
    has_prefix = any(name.startswith(PREFIX) for name in found)
    wants_prefix = hasattr(model, PREFIX.removesuffix("."))
    if wants_prefix and not has_prefix:
        return {PREFIX + name: tensor for name, tensor in found.items()}
    if has_prefix and not wants_prefix:
        return {name.removeprefix(PREFIX): tensor for name, tensor in found.items()}
    return found


def _complete_ties(
    found: dict[str, Tensor], wanted: Mapping[str, Tensor], path: str | os.PathLike[str]
) -> None:
    """Add output embeddings that a file leaves out; refuse those that differ from the word embeddings."""
    words = found.get(PREFIX + WORDS)
    if SCORES not in wanted or words is None:
        return
    if not torch.equal(found.setdefault(SCORES, words), words):
        raise CheckpointError(
            f"{os.fspath(path)}: {SCORES} differs from {PREFIX + WORDS}; in this model they are one matrix"
        )


def _check_shapes(
    found: dict[str, Tensor], wanted: Mapping[str, Tensor], path: str | os.PathLike[str]
) -> None:
    """Raise an error that names the tensors of another shape."""
    wrong = [
        f"{name} {tuple(found[name].shape)} for {tuple(wanted[name].shape)}"
        for name in wanted
        if name in found and found[name].shape != wanted[name].shape
    ]
    if wrong:
        raise CheckpointError(f"{os.fspath(path)}: tensors of other shapes: {_few(tuple(wrong))}")


def _listed(what: str, names: tuple[str, ...]) -> str:
    return f"{len(names)} {what} ({_few(names)})" if names else f"0 {what}"


def _few(names: tuple[str, ...]) -> str:
    """The first names, and the number of others."""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _write_atomic(target: Path, data: bytes) -> None:
    """Write to a temporary file, then rename it: a crash leaves the old file or the new one."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".genotok-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _umask() -> int:
    """The umask of the process, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
