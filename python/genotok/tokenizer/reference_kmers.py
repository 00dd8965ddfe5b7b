"""k-mers in plain Python: the specification of `Tokenizer.kmer`, and the oracle of its fast paths.

Two ways to cut a sequence:

- *overlapping* (DNABERT): one token for each position, the k symbols from there on; a sequence of fewer
  than k symbols has none. If one of the symbols is not a base, the token is ``[UNK]``.
- *non-overlapping* (Nucleotide Transformer): each run of bases is cut into k-mers from its left end; the
  bases that remain, and all symbols that are not bases, are tokens one by one. ``N`` is in the
  vocabulary, other symbols are ``<unk>``.

Two ways to name a k-mer: *plain*, as it stands, or *canonical*: it or its reverse complement, whichever
comes first in the alphabet.

Plain vocabularies are in the order of A, T, C, G, as those of both models. The canonical one is in the
order of the first k // 2 bases of the reverse complements, then of the k-mers. In non-overlapping
vocabularies the single bases follow, if k is not 1, and N.
"""

from __future__ import annotations

from itertools import product

from genotok.tokenizer.reference import reverse_complement

DNABERT = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
NUCLEOTIDE_TRANSFORMER = ("<unk>", "<pad>", "<mask>", "<cls>")
NUCLEOTIDE_TRANSFORMER_LAST = ("<eos>", "<bos>")


def kmers(k: int, *, canonical: bool) -> list[str]:
    """Return all k-mers, in the order of their ids."""
    if not canonical:
        return ["".join(bases) for bases in product("ATCG", repeat=k)]
    words = ("".join(bases) for bases in product("ACGT", repeat=k))
    smaller = [word for word in words if word <= reverse_complement(word)]
    return sorted(smaller, key=lambda word: (reverse_complement(word)[: k // 2], word))


def vocabulary(k: int, *, overlap: bool, canonical: bool) -> list[str]:
    """Return all tokens in the order of their ids: special ones, k-mers, bases, N, special ones."""
    names = kmers(k, canonical=canonical)
    if overlap:
        return [*DNABERT, *names]
    bases = kmers(1, canonical=canonical) if k > 1 else []
    return [*NUCLEOTIDE_TRANSFORMER, *names, *bases, "N", *NUCLEOTIDE_TRANSFORMER_LAST]


def pieces(sequence: str, k: int, *, overlap: bool) -> list[str]:
    """Return the parts of a sequence that become one token each."""
    if overlap:
        return [sequence[at : at + k] for at in range(len(sequence) - k + 1)]
    parts: list[str] = []
    at = 0
    while at < len(sequence):
        part = sequence[at : at + k]
        parts.append(part if len(part) == k and set(part) <= set("ACGT") else part[0])
        at += len(parts[-1])
    return parts


def encode(sequence: str, k: int, *, overlap: bool, canonical: bool) -> list[int]:
    """Return the ids of a sequence that has no special tokens in it."""
    ids = {token: number for number, token in enumerate(vocabulary(k, overlap=overlap, canonical=canonical))}
    unknown = ids["[UNK]" if overlap else "<unk>"]
    parts = pieces(sequence, k, overlap=overlap)
    if canonical:
        parts = [min(part, reverse_complement(part)) if set(part) <= set("ACGT") else part for part in parts]
    return [ids.get(part, unknown) for part in parts]
