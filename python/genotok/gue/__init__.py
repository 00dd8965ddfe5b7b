"""GUE, the Genome Understanding Evaluation: its 36 sets, their files, and what was published about them.

Example:
    >>> from genotok.gue import gue_set, published
    >>> gue_set("mouse_0").metric, published()["mouse_0"]["DNABERT-2"]
    ('mcc', 56.76)
"""

from genotok.gue.audit import Audit, LengthStatistics, SplitAudit, audit
from genotok.gue.clean import CleanRows, clean_rows
from genotok.gue.divide import ClusterSplit, divide
from genotok.gue.fetching import FetchedFile, FetchReport, fetch
from genotok.gue.files import LabelledSplit, read_labelled
from genotok.gue.labels import Labels, ProblemType
from genotok.gue.loci import Links, Loci, find_loci
from genotok.gue.overlaps import ClusterStatistics, Overlap
from genotok.gue.registry import DIAMOND, PAPER, GueSet, Published, gue_set, gue_sets, published
from genotok.gue.split_files import write_split
from genotok.gue.splits import SPLITS, read_splits
from genotok.gue.tasks import Task, find_tasks

__all__ = [
    "DIAMOND",
    "PAPER",
    "SPLITS",
    "Audit",
    "CleanRows",
    "ClusterSplit",
    "ClusterStatistics",
    "FetchReport",
    "FetchedFile",
    "GueSet",
    "LabelledSplit",
    "Labels",
    "LengthStatistics",
    "Links",
    "Loci",
    "Overlap",
    "ProblemType",
    "Published",
    "SplitAudit",
    "Task",
    "audit",
    "clean_rows",
    "divide",
    "fetch",
    "find_loci",
    "find_tasks",
    "gue_set",
    "gue_sets",
    "published",
    "read_labelled",
    "read_splits",
    "write_split",
]
