"""How the weights of a run are updated: the arguments of transformers' trainer, and the schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.optim.lr_scheduler import OneCycleLR
from transformers import TrainingArguments

from genotok.training.trainer import OrderedTrainer

if TYPE_CHECKING:
    from genotok.finetune.config import FinetuneConfig

__all__ = ["ScheduledTrainer", "arguments_of"]


class ScheduledTrainer(OrderedTrainer):
    """The trainer with the schedule of the settings.

    Args:
        config: The settings.
        **settings: As for `OrderedTrainer`.
    """

    def __init__(self, *, config: FinetuneConfig, **settings: Any) -> None:
        super().__init__(**settings)
        self.settings = config

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The schedule of the learning rate."""
        if self.settings.schedule == "linear" or self.lr_scheduler is not None:
            return super().create_scheduler(num_training_steps, optimizer)
        of: Any = optimizer or self.optimizer
        rate = self.settings.learning_rate
        self.lr_scheduler = OneCycleLR(of, rate, total_steps=num_training_steps)
        self._created_lr_scheduler = True
        return self.lr_scheduler


def arguments_of(
    config: FinetuneConfig, steps: int, seed: int, place: str, device: str, *, evaluations: int = 0
) -> TrainingArguments:
    """The settings for transformers.

    Args:
        config: The settings.
        steps: Updates of the weights.
        seed: Seed of dropout.
        place: A folder for what transformers may write.
        device: "auto", or "cpu".
        evaluations: Evaluations, evenly spaced over the run.
    """
    use_cpu = device == "cpu" or not torch.cuda.is_available()
    at_once = min(config.micro_batch, config.batch)
    arguments = TrainingArguments(
        output_dir=place,
        max_steps=steps,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=config.batch // at_once,
        learning_rate=config.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=min(config.warmup, steps // 10),
        weight_decay=config.weight_decay,
        max_grad_norm=config.clip,
        bf16=config.precision == "bf16",
        fp16=config.precision == "fp16",
        seed=seed,
        logging_steps=max(steps // 20, 1),
        eval_strategy="steps" if evaluations else "no",
        eval_steps=-(-steps // evaluations) if evaluations else None,
        save_strategy="no",
        report_to="none",
        dataloader_pin_memory=not use_cpu,
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=use_cpu,
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # noqa: SLF001 - several GPUs would split batches
    return arguments
