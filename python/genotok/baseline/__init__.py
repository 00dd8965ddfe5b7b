"""Baselines of labelled sequences, which need no model of genotok: what a model has to be better than.

- `kmers`: k-mer frequencies of both strands, with logistic or ridge regression;
- `network`, `training`: a convolutional network of 71,000 parameters over bases;
- `average`: the average of both, with the weight chosen on dev;
- `blind`: a set without the labels of test, which is all that choices see.

Example:
    >>> from genotok.baseline import baselines
    >>> from genotok.gue import find_tasks
    >>> record = baselines(find_tasks(["GUE"], ["mouse_2"]), "results", seeds=[1])
    >>> record["sets"][0]["baselines"]["average"]["runs"][0]["test"]["mcc"]
"""

from genotok.baseline.run import baselines, fit_baselines
from genotok.baseline.training import NetworkConfig

__all__ = ["NetworkConfig", "baselines", "fit_baselines"]
