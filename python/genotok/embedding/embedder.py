"""A tokenizer, an encoder and a way to pool: ids in, one vector for each row out.

Rows of like length go through the encoder together: its fused attention takes neighbours of equal length in
one call, and a batch holds a number of tokens, not of rows, so that its memory is the same for reads and for
genes. The batch a row is in does not change its vector beyond rounding, as there is no padding.

Vectors are averaged and given in 32 bits, whatever the weights are kept in.
"""

# Shape letters: N rows, T tokens of all of them, D hidden.

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from genotok.errors import ArgumentError
from genotok.model import pack, pool
from genotok.model.backends import Backend
from genotok.model_folder.load import load_encoder
from genotok.model_folder.read import read_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from genotok.tokenizer import Tokenizer

__all__ = ["BATCH_TOKENS", "DataType", "Embedder", "Pooling", "batches"]

Pooling = Literal["mean", "cls"]
DataType = Literal["float32", "bfloat16", "float16"]
Vectors = NDArray[np.float32]

BATCH_TOKENS = 8192
"""Some 0.2 GB of the widest layer's numbers in the published size, and enough to keep a processor busy."""

DEVICES = {"cpu", "cuda", "mps"}


class Embedder:
    """Turns sequences into vectors.

    Attributes:
        tokenizer: It makes the ids.
        pooling: "mean" over all tokens of a row, `[CLS]` and `[SEP]` as well, or "cls" for the first.
        batch_tokens: Tokens that go through the encoder at once; a longer row is a batch of its own.
        device: The torch device.
        dtype: What weights are kept in.
        files: What was read: the model's files, and that of the tokenizer.

    Args:
        model: A folder with `config.json` and `model.safetensors` or `pytorch_model.bin`.
        tokenizer: A tokenizer or the path of its file; None for `tokenizer.json` in the model's folder.
        pooling: As above.
        batch_tokens: As above.
        device: "auto" (CUDA where it is), or a torch device by name.
        dtype: "float32", "bfloat16" or "float16".
        attention: A backend, or "auto" (see `genotok.model.attention`).
        threads: Threads that torch uses on processors, in the whole process; None leaves them as they are.

    Raises:
        ArgumentError: An argument is outside its rule, tokenizer and model have other numbers of tokens, or
            the folder's files are damaged or do not fit each other.
        OSError: The folder or a file in it is not there, or cannot be read.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        tokenizer: Tokenizer | str | os.PathLike[str] | None = None,
        *,
        pooling: Pooling = "mean",
        batch_tokens: int = BATCH_TOKENS,
        device: str = "auto",
        dtype: DataType = "float32",
        attention: Backend = "auto",
        threads: int | None = None,
    ) -> None:
        _check("pooling", pooling, get_args(Pooling))
        _check("dtype", dtype, get_args(DataType))
        if batch_tokens < 1:
            raise ArgumentError(f"batch_tokens={batch_tokens}: a number of at least 1 is expected")
        self.pooling: Pooling = pooling
        self.batch_tokens = batch_tokens
        self.dtype = dtype
        self.device = _device(device)
        _check("attention", attention, get_args(Backend))
        folder = read_folder(model)
        self.tokenizer = folder.tokenizer(tokenizer)
        self.files = [os.path.join(model, name) for name in sorted(os.listdir(model))]
        if isinstance(tokenizer, (str, os.PathLike)):
            self.files.append(os.fspath(tokenizer))
        if threads is not None:
            torch.set_num_threads(threads)
        self._encoder = load_encoder(folder, attention).to(self.device, getattr(torch, dtype)).eval()

    @property
    def width(self) -> int:
        """D, the numbers of a vector."""
        return self._encoder.config.hidden_size

    @property
    def backend(self) -> str:
        """The backend of attention that the last batch used; "" before the first."""
        return self._encoder.encoder.backend

    def vectors(self, sequences: Iterable[str], *, uppercase: bool = False) -> Vectors:
        """The vectors (N, D) of sequences, in their order; time is quadratic in the length of long ones.

        Args:
            sequences: Strings.
            uppercase: Read lower-case letters as upper-case ones.
        """
        found = self.tokenizer.encode_batch(sequences, add_special_tokens=True, uppercase=uppercase)
        out: Vectors = np.empty((len(found), self.width), np.float32)
        for rows, part in self.of_ids(found.values, found.offsets):
            out[rows] = part
        return out

    def of_ids(
        self, ids: NDArray[Any], offsets: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """Batch by batch the numbers of its rows and their vectors, the longest rows first.

        Args:
            ids: (T,) the ids of all rows, end to end.
            offsets: (N + 1,) row i has the ids `offsets[i]` to `offsets[i + 1]`.

        Raises:
            ArgumentError: The backend of attention asked for cannot do it.
        """
        lengths = np.diff(offsets)
        for rows in batches(lengths, self.batch_tokens):
            row = np.concatenate([ids[offsets[number] : offsets[number + 1]] for number in rows.tolist()])
            yield rows, self._pooled(row.astype(np.int64), lengths[rows])

    @torch.inference_mode()
    def _pooled(self, row: NDArray[np.int64], lengths: NDArray[np.int64]) -> Vectors:
        """The vectors of one batch."""
        packing = pack(torch.from_numpy(lengths), self.device)
        try:
            states = self._encoder(torch.from_numpy(row).to(self.device), packing).last
        except ValueError as error:  # a backend that was asked for and cannot do it says why
            raise ArgumentError(str(error)) from None
        found: Vectors = pool(states.float(), packing, self.pooling).cpu().numpy()
        return found


def batches(lengths: NDArray[np.int64], most_tokens: int) -> Iterator[NDArray[np.int64]]:
    """Row numbers by length, the longest first, so many together that they have `most_tokens` at most.

    A row that has more is alone. That the longest come first makes memory run out at once if it does.
    """
    order = np.argsort(-lengths, kind="stable")
    first, tokens = 0, 0
    for place, length in enumerate(lengths[order].tolist()):
        if place > first and tokens + length > most_tokens:
            yield order[first:place]
            first, tokens = place, 0
        tokens += length
    if first < len(order):
        yield order[first:]


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ArgumentError(f"{name}={value}: one of {', '.join(known)} is expected")


def _device(name: str) -> torch.device:
    """The device called `name`, which is there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type in DEVICES:
            torch.empty(0, device=device)
            return device
        reason = f"a device of kind {device.type} cannot be used here"
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
    raise ArgumentError(f"device={name}: {reason}; auto, cpu, or a device that is there is expected")
