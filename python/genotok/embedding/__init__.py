"""Sequences to vectors: FASTA, FASTQ or tables in, a table with one vector per row out.

Needs the packages of the extra `model`.

Example:
    >>> from genotok.embedding import Embedder, embed
    >>> embedder = Embedder("model/")  # config.json, weights and tokenizer.json
    >>> embedder.vectors(["ACGTTGCA", "GATTACA"]).shape
    (2, 768)
    >>> embed(embedder, "reads.fq.gz", "reads.parquet")["rows"]
    1000

`embedder` has the model; `files` embeds the rows of files (`genotok.rows`). It reads all files once before it
computes the first vector, so that a fault at the end of a file is found in seconds and not after hours.
"""

from genotok.embedding.embedder import Embedder
from genotok.embedding.files import EmbeddingReport, embed, embed_files
from genotok.options.inference import Pooling

__all__ = ["Embedder", "EmbeddingReport", "Pooling", "embed", "embed_files"]
