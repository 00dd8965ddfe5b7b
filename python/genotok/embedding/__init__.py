"""Sequences to vectors: FASTA, FASTQ or CSV files in, a Parquet file with one vector a row out.

Needs the packages of the extra `model`.

Example:
    >>> from genotok.embedding import Embedder, embed
    >>> embedder = Embedder("model/")  # config.json, weights and tokenizer.json
    >>> embedder.vectors(["ACGTTGCA", "GATTACA"]).shape
    (2, 768)
    >>> embed(embedder, "reads.fq.gz", "reads.parquet")["rows"]
    1000

`embedder` has the model, `sources` and `tables` the rows of sequence files and of CSV files, `files` brings
them together: it reads everything once before the first vector is computed, so that a fault at the end of a
file is found in seconds and not after hours.
"""

from genotok.embedding.embedder import Embedder, Pooling
from genotok.embedding.files import EmbeddingReport, embed

__all__ = ["Embedder", "EmbeddingReport", "Pooling", "embed"]
