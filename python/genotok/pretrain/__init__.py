"""Pre-training: FASTA or token files in, a masked language model that `transformers` loads out.

Example:
    >>> from genotok.pretrain import PretrainConfig, pretrain
    >>> config = PretrainConfig(encoder="tiny-1m-bases", steps=200)
    >>> report = pretrain(["genomes/*.fa"], "model", config)
    >>> report["eval_bits_per_base"]
"""

from genotok.pretrain.config import PretrainConfig
from genotok.pretrain.run import pretrain, pretrain_model

__all__ = ["PretrainConfig", "pretrain", "pretrain_model"]
