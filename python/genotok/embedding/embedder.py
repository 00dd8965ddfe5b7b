"""A tokenizer, an encoder and a pooling: ids in, one vector per row out.

Rows of similar length go through the encoder together: its fused attention computes neighbours of equal
length in one call, and batches are limited by tokens, not by rows, so that memory is the same for reads and
for genes. As there is no padding, the batch of a row changes its vector by rounding only.

Vectors are averaged and returned in 32 bits, for all weight types.
"""

# Dimensions: N rows, T tokens of all of them, D hidden.

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from genotok.errors import ArgumentError
from genotok.model import pack, pool
from genotok.model_folder.load import load_encoder
from genotok.model_folder.read import read_folder
from genotok.options.inference import AttentionBackend, DataType, EmbedderOptions, Pooling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Unpack

    from genotok.options.inference import EmbedderKeywords
    from genotok.tokenizer import Tokenizer

__all__ = ["Embedder", "batches", "check_choice", "device_called"]

Vectors = NDArray[np.float32]

DEVICES = {"cpu", "cuda", "mps"}


class Embedder:
    """Turns sequences into vectors.

    Attributes:
        tokenizer: The tokenizer.
        pooling: "mean" over all tokens of a row, `[CLS]` and `[SEP]` included, or "cls" for the first.
        batch_tokens: Maximum tokens of a batch; a longer row is a batch by itself. The default takes about
            0.2 GB in the widest layer of the published size, and saturates a CPU.
        device: The torch device.
        dtype: Data type of the weights.
        files: The files that were read: those of the model, and the tokenizer.

    Args:
        model: A folder with `config.json` and `model.safetensors` or `pytorch_model.bin`.
        tokenizer: A tokenizer or the path of its file; None for `tokenizer.json` in the model's folder.
        options: All that follows, as a group; keywords override its fields.
        pooling: As above.
        batch_tokens: As above.
        device: "auto" (CUDA if available), or a torch device by name.
        dtype: "float32", "bfloat16" or "float16".
        attention: A backend, or "auto" (see `genotok.model.attention`).
        threads: Threads of torch on the CPU, in the whole process; None leaves them unchanged.

    Raises:
        ArgumentError: An argument is out of range, the vocabulary sizes of tokenizer and model differ, or the
            files of the folder are damaged or do not match.
        OSError: The folder or a file in it does not exist, or cannot be read.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        tokenizer: Tokenizer | str | os.PathLike[str] | None = None,
        options: EmbedderOptions | None = None,
        **keywords: Unpack[EmbedderKeywords],
    ) -> None:
        chosen = replace(options or EmbedderOptions(), **keywords)
        check_choice("pooling", chosen.pooling, get_args(Pooling))
        check_choice("dtype", chosen.dtype, get_args(DataType))
        if chosen.batch_tokens < 1:
            raise ArgumentError(f"batch_tokens={chosen.batch_tokens}: a number of at least 1 is expected")
        self.pooling: Pooling = chosen.pooling
        self.batch_tokens = chosen.batch_tokens
        self.dtype = chosen.dtype
        self.device = device_called(chosen.device)
        check_choice("attention", chosen.attention, get_args(AttentionBackend))
        folder = read_folder(model)
        self.tokenizer = folder.tokenizer(tokenizer)
        self.files = [os.path.join(model, name) for name in sorted(os.listdir(model))]
        if isinstance(tokenizer, (str, os.PathLike)):
            self.files.append(os.fspath(tokenizer))
        if chosen.threads is not None:
            torch.set_num_threads(chosen.threads)
        encoder = load_encoder(folder, chosen.attention)
        self._encoder = encoder.to(self.device, getattr(torch, chosen.dtype)).eval()

    @property
    def width(self) -> int:
        """D, the width of a vector."""
        return self._encoder.config.hidden_size

    @property
    def batch_bytes(self) -> int:
        """Memory of a batch of `batch_tokens`, about, with attention that keeps no matrix of scores."""
        config, number = self._encoder.config, getattr(torch, self.dtype).itemsize
        # Of a layer at once: its input and output, queries, keys, values and their mixture; the gated pair.
        per_token = 8 * config.hidden_size + 3 * config.intermediate_size
        return self.batch_tokens * per_token * int(number)

    @property
    def backend(self) -> str:
        """The attention backend of the last batch; "" before the first."""
        return self._encoder.encoder.backend

    def vectors(self, sequences: Iterable[str], *, uppercase: bool = False) -> Vectors:
        """The vectors (N, D) of sequences, in order; time is quadratic in the length of long sequences.

        Args:
            sequences: Strings.
            uppercase: Read lower case as upper case.
        """
        found = self.tokenizer.encode_batch(sequences, add_special_tokens=True, uppercase=uppercase)
        out: Vectors = np.empty((len(found), self.width), np.float32)
        for rows, part in self.of_ids(found.values, found.offsets):
            out[rows] = part
        return out

    def of_ids(
        self, ids: NDArray[Any], offsets: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
        """Vectors batch by batch, the longest rows first: row numbers (B,) and vectors (B, D).

        Args:
            ids: (T,) the ids of all rows, concatenated.
            offsets: (N + 1,) row i has the ids `offsets[i]` to `offsets[i + 1]`.

        Raises:
            ArgumentError: The requested attention backend is unsupported.
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
        except ValueError as error:  # a requested backend says why it is unsupported
            raise ArgumentError(str(error)) from None
        found: Vectors = pool(states.float(), packing, self.pooling).cpu().numpy()
        return found


def batches(lengths: NDArray[np.int64], max_tokens: int) -> Iterator[NDArray[np.int64]]:
    """Row numbers (B,) of batches by length, the longest first, of at most `max_tokens` tokens each.

    A longer row is a batch by itself. As the longest come first, a lack of memory shows at the start.
    """
    order = np.argsort(-lengths, kind="stable")
    first, tokens = 0, 0
    for place, length in enumerate(lengths[order].tolist()):
        if place > first and tokens + length > max_tokens:
            yield order[first:place]
            first, tokens = place, 0
        tokens += length
    if first < len(order):
        yield order[first:]


def check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise an error unless the argument `name` has one of the known values."""
    if value not in known:
        raise ArgumentError(f"{name}={value}: one of {', '.join(known)} is expected")


def device_called(name: str) -> torch.device:
    """The available device called `name`."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type in DEVICES:
            torch.empty(0, device=device)
            return device
        reason = f"a device of kind {device.type} is not supported"
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
    raise ArgumentError(f"device={name}: {reason}; auto, cpu, or an available device is expected")
