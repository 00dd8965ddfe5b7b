"""The embeddings of tokens, which the layers start from."""

# Dimensions: T tokens in the packed row, D hidden.

from __future__ import annotations

from torch import Tensor, nn

from genotok.model.bases import BaseFeatures
from genotok.model.config import EncoderConfig
from genotok.model.packing import SequencePacking

__all__ = ["Embeddings"]


class Embeddings(nn.Module):
    """Word and segment embedding of token ids, normalised. No row is special, not even that of `[PAD]`.

    With `base_features`, `bases` adds what the bases of a token and of its neighbours say.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.bases = BaseFeatures(config) if config.base_features != "none" else None

    def forward(
        self,
        ids: Tensor | None = None,
        types: Tensor | None = None,
        vectors: Tensor | None = None,
        packing: SequencePacking | None = None,
    ) -> Tensor:
        """Embed tokens, (T, D).

        Args:
            ids: (T,) token ids.
            types: (T,) segments; 0 by default.
            vectors: (T, D) instead of word embeddings, if `ids` is None.
            packing: The boundaries of the sequences; for features of bases only.

        Raises:
            ValueError: Neither or both of `ids` and `vectors` are given, or features lack ids or spelling.
        """
        if (ids is None) == (vectors is None):
            raise ValueError("either token ids or vectors in place of their embeddings are expected")
        words = self.word_embeddings(ids) if vectors is None else vectors
        table = self.token_type_embeddings
        segments = table.weight[0] if types is None else table(types)
        summed = words + segments
        if self.bases is not None:
            if ids is None or packing is None:
                raise ValueError("base_features are computed from input_ids; no vectors can take their place")
            summed = summed + self.bases(ids, packing)
        embedded: Tensor = self.dropout(self.LayerNorm(summed))
        return embedded
