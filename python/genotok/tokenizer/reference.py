"""Byte-pair encoding of DNA in plain Python: the specification, and the oracle of every fast path.

It is written to be read and to be obviously right. It is slow (each merge recounts the corpus) and
stays slow.

The rule
--------
A *word* is a maximal run of the bases A, C, G and T inside one record, optionally cut into pieces
of a fixed number of bases. Nothing is ever counted or merged across the end of a word.

Training starts with every base as a symbol of its own and repeats one step until the vocabulary is
full:

1. Count each pair of neighbouring symbols in windows that overlap: ``AAAA`` holds the pair
   ``(A, A)`` three times. A word that occurs w times counts w times.
2. Take the pair with the largest count; among equals the one with the smaller left id, then the
   smaller right id. Stop if no pair is left, or the largest count is below ``min_frequency``.
3. Write the pair down as the next *merge*, and replace it by one new symbol in every word, from
   left to right, without overlap: ``AAAAA`` becomes ``AA AA A``.

Ids are given in this order: the special tokens as listed, then the four bases A, C, G, T (all four,
whether or not they occur, so that the ids do not hang on the corpus), then one for each merge. Merge
number r (its *rank*, from 0) makes the token with the id ``len(special_tokens) + 4 + r``.

Encoding replays the rule on new text: of all neighbouring pairs that are merges, join the one of
the lowest rank, and of several such the leftmost; repeat until none is left.

Hugging Face
------------
The merges equal those of ``tokenizers.trainers.BpeTrainer`` with ``initial_alphabet=["A", "C", "G",
"T"]``, no pre-tokenizer, and each word fed as one string. Two differences are deliberate:

- ``max_token_length`` is the longest token allowed, in bases. There it is one more than that: 7
  gives tokens of at most 6 bases; but the first pairs are exempt, so 1, 2 and 3 all mean 2.
- Counts have no upper bound. There they are 32-bit and signed, and wrong above 2,147,483,647.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

BASES = "ACGT"
DEFAULT_SPECIAL_TOKENS = ("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]")
UNKNOWN = "[UNK]"

Merge = tuple[str, str]

_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_UPPER = str.maketrans("acgt", "ACGT")  # only these four: upper() would make two of "ß"


def reverse_complement(word: str) -> str:
    """Return the other strand of a word over ACGT, read in its own direction."""
    return word.translate(_COMPLEMENT)[::-1]


def words_of(sequence: str, word_length: int | None = None) -> list[str]:
    """Return the words of one record's sequence, upper case, in order.

    ``word_length`` cuts each into pieces of that many bases; the last piece of a word may be shorter.
    """
    runs = re.findall("[ACGT]+", sequence.translate(_UPPER))
    if word_length is None:
        return runs
    return [run[at : at + word_length] for run in runs for at in range(0, len(run), word_length)]


def train(
    words: Mapping[str, int] | Iterable[str],
    vocab_size: int,
    *,
    min_frequency: int = 0,
    special_tokens: Sequence[str] = DEFAULT_SPECIAL_TOKENS,
    max_token_length: int | None = None,
    both_strands: bool = False,
) -> list[Merge]:
    """Return the merges of a corpus as pairs of token strings, in order of rank.

    ``words`` are strings over ACGT: either each word as often as it occurs, or a mapping from word
    to number of occurrences. ``vocab_size`` counts special tokens, bases and merges. ``both_strands``
    adds the reverse complement of each word. Raises ValueError if the arguments cannot be a
    vocabulary or a word is not DNA. Time: number of merges times number of bases.
    """
    weights = Counter(words)  # of a mapping its counts, of an iterable the number of times each is met
    if both_strands:
        for word, weight in list(weights.items()):
            weights[reverse_complement(word)] += weight
    if not all(set(word) <= set(BASES) for word in weights):
        raise ValueError("a word has a symbol that is not A, C, G or T")
    if max_token_length is not None and max_token_length < 1:
        raise ValueError("max_token_length is a number of bases, at least 1")
    ids = vocabulary([], special_tokens)
    if vocab_size < len(ids):
        raise ValueError(f"vocab_size={vocab_size} is too small for {len(ids)} special tokens and bases")

    corpus = [(list(word), weight) for word, weight in weights.items()]
    merges: list[Merge] = []
    while len(ids) < vocab_size:
        counts = count_pairs(corpus, max_token_length)
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], ids[pair[0]], ids[pair[1]]))
        if counts[best] < max(1, min_frequency):
            break
        merges.append(best)
        ids["".join(best)] = len(ids)
        corpus = [(replace(symbols, best), weight) for symbols, weight in corpus]
    return merges


def count_pairs(corpus: Iterable[tuple[list[str], int]], max_token_length: int | None) -> Counter[Merge]:
    """Count the pairs of neighbours in weighted words, in overlapping windows, up to a joint length."""
    counts: Counter[Merge] = Counter()
    for symbols, weight in corpus:
        for left, right in pairwise(symbols):
            if max_token_length is None or len(left) + len(right) <= max_token_length:
                counts[left, right] += weight
    return counts


def replace(symbols: list[str], pair: Merge) -> list[str]:
    """Join every occurrence of ``pair``, from left to right and without overlap."""
    joined: list[str] = []
    at = 0
    while at < len(symbols):
        width = 2 if tuple(symbols[at : at + 2]) == pair else 1
        joined.append("".join(symbols[at : at + width]))
        at += width
    return joined


def vocabulary(
    merges: Iterable[Merge], special_tokens: Sequence[str] = DEFAULT_SPECIAL_TOKENS
) -> dict[str, int]:
    """Return token -> id, in the order of ids.

    Raises ValueError if a special token is empty, given twice, or DNA in either case: such a token
    could not be told from sequence.
    """
    for token in special_tokens:
        if set(token) <= set(BASES + BASES.lower()):
            raise ValueError(f"special token {token!r} is empty or DNA")
    tokens = [*special_tokens, *BASES, *(left + right for left, right in merges)]
    ids = {token: number for number, token in enumerate(tokens)}
    if len(ids) < len(tokens):
        raise ValueError("a token is given twice")
    return ids


def explain(sequence: str, merges: Sequence[Merge]) -> Iterator[tuple[int | None, list[str]]]:
    """Yield (rank, tokens) after each single merge in the encoding of a sequence; first (None, symbols).

    Lower-case bases are read as upper case, any other symbol is ``[UNK]``. Time: the square of the
    number of bases.
    """
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    tokens = [symbol if symbol in BASES else UNKNOWN for symbol in sequence.translate(_UPPER)]
    yield None, tokens
    while True:
        pairs = enumerate(pairwise(tokens))
        found = min(((ranks[pair], at) for at, pair in pairs if pair in ranks), default=None)
        if found is None:
            return
        rank, at = found
        tokens = [*tokens[:at], "".join(tokens[at : at + 2]), *tokens[at + 2 :]]
        yield rank, tokens


def tokenize(
    sequence: str, merges: Sequence[Merge], special_tokens: Sequence[str] = DEFAULT_SPECIAL_TOKENS
) -> list[str]:
    """Return the tokens of a sequence as strings.

    Special tokens spelled out in the text stand for themselves (the leftmost first, of several there
    the longest); what lies between them is encoded piece by piece.
    """
    longest_first = sorted(special_tokens, key=len, reverse=True)
    pattern = "|".join(map(re.escape, longest_first))
    pieces = re.split(f"({pattern})", sequence) if pattern else [sequence]
    tokens: list[str] = []
    for number, piece in enumerate(pieces):  # re.split alternates: between, special, between, special, ...
        tokens += [piece] if number % 2 else [step for _, step in explain(piece, merges)][-1]
    return tokens


def encode(
    sequence: str, merges: Sequence[Merge], special_tokens: Sequence[str] = DEFAULT_SPECIAL_TOKENS
) -> list[int]:
    """Return the ids of a sequence; raise KeyError for an unknown symbol where there is no ``[UNK]``."""
    ids = vocabulary(merges, special_tokens)
    return [ids[token] for token in tokenize(sequence, merges, special_tokens)]


def decode(
    token_ids: Iterable[int], merges: Sequence[Merge], special_tokens: Sequence[str] = DEFAULT_SPECIAL_TOKENS
) -> str:
    """Return the tokens of the ids, joined to one string; raise KeyError for an id there is not."""
    tokens = dict(enumerate(vocabulary(merges, special_tokens)))
    return "".join(tokens[number] for number in token_ids)
