"""Real genomes: the ids of Hugging Face, with a vocabulary trained here, DNABERT-2's, and large ones.

By default the first megabase and a half of each file; all of all files (five minutes) with
GENOTOK_WHOLE_GENOMES=1.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer as HuggingFaceTokenizer

import genotok
from tests.support import dna
from tests.support.foreign import SPECIALS, document

WINDOW = 1000
BASES = None if os.environ.get("GENOTOK_WHOLE_GENOMES") else 1_500_000
VOCABULARIES = ["trained", "dnabert2", "trained-32k", "random-32k"]


def random_document(num_tokens: int) -> dict[str, Any]:
    """A vocabulary that no training made: random merges over A, C, G, T and N, each product made once."""
    draw = random.Random(32)
    tokens, merges = list("ACGNT"), []
    made = set(tokens)
    while len(tokens) < num_tokens - len(SPECIALS):
        # Short parts most of the time, so that merges meet in real sequence.
        left, right = (tokens[int(len(tokens) * draw.random() ** 4)] for _ in range(2))
        if left + right not in made and len(left + right) <= 12:
            made.add(left + right)
            tokens.append(left + right)
            merges.append((left, right))
    return document("ACGNT", merges)


@pytest.fixture(scope="module", params=VOCABULARIES)
def tokenizers(
    request: pytest.FixtureRequest,
    own_genomes: Path,
    shared: Path,
    tmp_path_factory: pytest.TempPathFactory,
    train_words: Callable[..., Any],
) -> tuple[genotok.Tokenizer, HuggingFaceTokenizer]:
    """One vocabulary, read by both."""
    path = tmp_path_factory.mktemp("vocabulary") / "tokenizer.json"
    match request.param:
        case "trained":
            genotok.Tokenizer.train(str(own_genomes / "*.fa")).save(str(path))
        case "dnabert2":
            path = shared / "tokenizers" / "dnabert2" / "tokenizer.json"
        case "trained-32k":
            words = [genotok._native.simulate(3_000_000, 32).decode()]
            train_words(words, vocab_size=32_000).save(str(path))
        case _:
            path.write_text(json.dumps(random_document(32_000)))
    ours = genotok.Tokenizer.from_file(str(path))
    assert ours.vocab_size > 32_000 - 1 or "32k" not in request.param
    return ours, HuggingFaceTokenizer.from_file(str(path))


def sequences(path: Path) -> Iterator[str]:
    """The records of a genome, upper case, as many bases as are wanted."""
    left = BASES or 10**12
    for record in dna.read_fasta(path):
        yield record[:left].upper()
        left -= len(record)
        if left <= 0:
            return


def test_ids_are_those_of_hugging_face(
    genomes: Path, tokenizers: tuple[genotok.Tokenizer, HuggingFaceTokenizer]
) -> None:
    ours, theirs = tokenizers
    for path in sorted(genomes.iterdir()):
        windows = (
            sequence[at : at + WINDOW]
            for sequence in sequences(path)
            for at in range(0, len(sequence), WINDOW)
        )
        while some := list(islice(windows, 4000)):
            tokens = ours.encode_batch(some)
            expected = [encoding.ids for encoding in theirs.encode_batch_fast(some, add_special_tokens=False)]
            assert np.array_equal(np.diff(tokens.offsets), [len(ids) for ids in expected]), path.name
            assert np.array_equal(tokens.values, np.concatenate(expected)), path.name


def test_a_chromosome_in_one_piece_has_the_ids_of_hugging_face(
    genomes: Path, tokenizers: tuple[genotok.Tokenizer, HuggingFaceTokenizer]
) -> None:
    ours, theirs = tokenizers
    for name, records in (("EColi_MG1655-K12.fa.gz", 1), ("Saccharomyces_cerevisiae.R64-1-1", 4)):
        path = next(path for path in genomes.iterdir() if path.name.startswith(name))
        for sequence in islice(sequences(path), records):
            piece = sequence[: 5_000_000 if BASES is None else 300_000]
            expected = theirs.encode(piece, add_special_tokens=False).ids
            assert ours.encode(piece) == expected, name
            for threads in (1, 2, 3):
                assert ours.encode_batch([piece], threads=threads)[0] == expected, name
