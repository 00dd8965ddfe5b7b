"""Fine-tuning on labelled sequences, of GUE or custom: results over seeds, predictions, and the best model.

Example:
    >>> from genotok.finetune import FinetuneConfig, find_tasks, finetune
    >>> record = finetune(find_tasks(["GUE"], ["mouse_2"]), "model", "results", FinetuneConfig())
    >>> record["sets"][0]["mean"]

Without a model, a small encoder that sees bases is trained on each set alone: `finetune(tasks, None, ...)`.
"""

from genotok.finetune.config import FinetuneConfig
from genotok.finetune.predict import Classifier, Evaluation
from genotok.finetune.run import finetune, finetune_model
from genotok.gue import Task, find_tasks

__all__ = ["Classifier", "Evaluation", "FinetuneConfig", "Task", "find_tasks", "finetune", "finetune_model"]
