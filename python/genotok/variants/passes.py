"""Rows through a masked language model: probabilities at masked places, and mean vectors.

Rows are collected first, so that equal ones are computed once and those of similar length together.
"""

# Dimensions: B rows of a batch, T their tokens, V vocabulary.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from genotok.embedding.embedder import batches
from genotok.errors import ArgumentError
from genotok.model import pack, pool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genotok.model import MaskedLanguageModel
    from genotok.variants.rows import TokenIds

__all__ = ["MaskedPlace", "RowPasses"]

NO_CANDIDATES = np.empty(0, np.int32)


@dataclass(slots=True, eq=False)
class MaskedPlace:
    """One masked token of a row.

    Attributes:
        row: The row, special tokens included, with the token in it.
        place: Where the token is.
        candidates: Tokens whose probabilities are wanted as well.
        log_p: The logarithm of the token's probability, once it is computed.
        candidate_log_p: Those of the candidates.
    """

    row: TokenIds
    place: int
    candidates: TokenIds = field(default_factory=lambda: NO_CANDIDATES)
    log_p: float = float("nan")
    candidate_log_p: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


class RowPasses:
    """Rows to compute, each once.

    Attributes:
        num_passes: Rows that went through the model so far.
    """

    def __init__(self, model: MaskedLanguageModel, mask: int, batch_tokens: int) -> None:
        self._model, self._mask, self._batch_tokens = model, mask, batch_tokens
        self._device = next(model.parameters()).device
        self._places: dict[tuple[bytes, int], MaskedPlace] = {}
        self._rows: dict[bytes, tuple[int, TokenIds]] = {}
        self._vectors: NDArray[np.float32] = np.empty((0, 0), np.float32)
        self.num_passes = 0

    def masked(self, row: TokenIds, place: int, candidates: TokenIds | None = None) -> MaskedPlace:
        """Ask for the probability of the token at a place of a row; the result is there after `compute`.

        The candidates of a place are those of its row, and the same in each call that gives them.
        """
        found = self._places.setdefault((row.tobytes(), place), MaskedPlace(row, place))
        if candidates is not None:
            found.candidates = candidates
        return found

    def vector(self, row: TokenIds) -> int:
        """Ask for the mean vector of a row; the number to give to `vector_of` after `compute`."""
        return self._rows.setdefault(row.tobytes(), (len(self._rows), row))[0]

    def vector_of(self, number: int) -> NDArray[np.float32]:
        """The mean vector (D,) of a row."""
        found: NDArray[np.float32] = self._vectors[number]
        return found

    @torch.inference_mode()
    def compute(self) -> None:
        """Compute all rows that were asked for.

        Raises:
            ArgumentError: The requested attention backend is unsupported.
        """
        places = list(self._places.values())
        lengths = np.array([len(each.row) for each in places], np.int64)
        for numbers in batches(lengths, self._batch_tokens):
            self._masked([places[number] for number in numbers.tolist()])
        rows = [row for _, row in self._rows.values()]
        found: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(rows)
        for numbers in batches(np.array([len(row) for row in rows], np.int64), self._batch_tokens):
            vectors = self._mean_vectors([rows[number] for number in numbers.tolist()])
            for number, vector in zip(numbers.tolist(), vectors, strict=True):
                found[number] = vector
        self._vectors = np.array(found, np.float32)
        self.num_passes += len(places) + len(rows)

    def _masked(self, places: list[MaskedPlace]) -> None:
        """Compute one batch of masked places."""
        lengths = [len(each.row) for each in places]
        starts = np.cumsum([0, *lengths[:-1]])
        ids = np.concatenate([each.row for each in places])
        at = starts + [each.place for each in places]
        tokens = torch.from_numpy(ids[at].astype(np.int64)).to(self._device)
        ids[at] = self._mask
        index = torch.from_numpy(at).to(self._device)
        scores = self._model.cls(self._states(ids, lengths)[index])
        log_p = torch.log_softmax(scores.float(), 1)
        for each, value in zip(places, log_p.gather(1, tokens[:, None])[:, 0].tolist(), strict=True):
            each.log_p = value
        for number, each in enumerate(places):
            if len(each.candidates):
                wanted = torch.from_numpy(each.candidates.astype(np.int64)).to(self._device)
                each.candidate_log_p = log_p[number, wanted].double().cpu().numpy()

    def _mean_vectors(self, rows: list[TokenIds]) -> NDArray[np.float32]:
        """The mean vectors (B, D) of one batch of rows."""
        lengths = [len(row) for row in rows]
        states = self._states(np.concatenate(rows), lengths)
        found: NDArray[np.float32] = pool(states.float(), pack(lengths, self._device), "mean").cpu().numpy()
        return found

    def _states(self, ids: TokenIds, lengths: list[int]) -> torch.Tensor:
        """The vectors (T, D) of the tokens of rows."""
        row = torch.from_numpy(ids.astype(np.int64)).to(self._device)
        try:
            found: torch.Tensor = self._model.bert(row, pack(lengths, self._device)).last
        except ValueError as error:  # a requested backend says why it is unsupported
            raise ArgumentError(str(error)) from None
        return found
