"""A tokenizer as the page's script reads it: its vocabulary, its merges, and what characters are to it.

The script builds strings from merges, so that only the tokens that no merge makes are spelled out: a
vocabulary of 4,096 tokens takes about 40 kB, one of 65,536 about 800 kB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genotok.errors import ArgumentError, VocabularyError

if TYPE_CHECKING:
    from genotok.tokenizer import Tokenizer

__all__ = ["MAX_VOCAB", "describe"]

MAX_VOCAB = 1 << 20
"""Tokens of a vocabulary at most; the page lists them for its search."""

KINDS = {"symbol": "s", "alone": "a", "unknown": "u", "dropped": "d", "unsure": "?"}


def describe(name: str, tokenizer: Tokenizer) -> dict[str, Any]:
    """What the page has to know of a tokenizer, as JSON.

    Raises:
        ArgumentError: It has more than 1,048,576 tokens, or reads texts in a way that the page does not carry
            out; says which.
    """
    if tokenizer.vocab_size > MAX_VOCAB:
        raise ArgumentError(
            f"tokenizer={name}: {tokenizer.vocab_size:,} tokens; a page takes {MAX_VOCAB:,} at most"
        )
    try:
        table = tokenizer.text_table()
    except VocabularyError as error:
        why = str(error).removeprefix("vocabulary: ")
        raise ArgumentError(
            f"tokenizer={name}: {why}, which the page does not carry out; see 'genotok show'"
        ) from None
    others = table["others"]
    described = {
        "name": name,
        "size": tokenizer.vocab_size,
        "unknown": tokenizer.unknown_id,
        "ascii": "".join(KINDS[kind] for kind, _ in table["ascii"]),
        "ascii_ids": [index for kind, index in table["ascii"] if kind in {"symbol", "alone"}],
        "others": others if isinstance(others, str) else {"kind": KINDS[others[0]], "id": others[1]},
        "drops_other_space": table["drops_other_space"],
        "fuses_unknown": table["fuses_unknown"],
        "added": table["added"],
    }
    if table["kmers"] is not None:
        keys = ("k", "overlap", "canonical", "first")
        tokens = [(token[0], token[1]) for token in table["added"]]
        kmers = dict(zip(keys, table["kmers"], strict=True))
        return described | {"kmers": kmers, "tokens": tokens, "merges": [], "products": 0}
    return described | {"kmers": None} | _merges(tokenizer)


def _merges(tokenizer: Tokenizer) -> dict[str, Any]:
    """The merges as ids, and the strings of the tokens that the script cannot build from them in order."""
    vocab = tokenizer.vocab
    pairs: list[int] = []
    products: list[int] = []
    strings = {index: token for token, index in vocab.items()}
    built: set[int] = set()
    spelled = {index for token, index in vocab.items() if len(token) == 1}
    for left, right in tokenizer.merges:
        parts, product = (vocab[left], vocab[right]), vocab[left + right]
        pairs += parts
        products.append(product)
        if product not in spelled and all(part in built or part in spelled for part in parts):
            built.add(product)
        else:
            spelled.add(product)
    is_block = products == list(range(products[0], products[0] + len(products))) if products else True
    return {
        "merges": pairs,
        "products": products if not is_block else products[0] if products else 0,
        "tokens": [(token, index) for index, token in sorted(strings.items()) if index not in built],
    }
