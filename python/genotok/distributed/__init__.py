"""Exact training, and encoding, over Ray: actors hold the genomes, the round loop runs here and asks them.

A round needs sums from the text, and sums do not care who holds which part: see
`rust/src/bpe/train/protocol.rs`. Each question goes to all workers as it is, their answers are added in a
tree of Ray tasks, through the object store, and one answer comes back. About ten questions make a tokenizer,
and the merges are to the bit those of training in one process.

What can happen on the way: a worker dies (killed, out of memory, its machine gone): another is started,
reads the same files and is asked again. An answer is lost with its machine: the question is repeated. The
cluster is gone: the training ends with an error, and its checkpoint resumes from the last round, on Ray or
without.
"""

from genotok.distributed.cluster import LOCAL
from genotok.distributed.encode import encode, encode_on_ray
from genotok.distributed.train import train, train_on_ray
from genotok.distributed.workers import Workers

__all__ = ["LOCAL", "Workers", "encode", "encode_on_ray", "train", "train_on_ray"]
