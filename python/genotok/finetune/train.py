"""One model fine-tuned on one set with one seed: weights that are best on dev, and predictions for test."""

# Dimensions: N rows, C classes.

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers
from torch.nn import functional
from transformers import set_seed

from genotok.errors import ArgumentError
from genotok.evaluation.metrics import merit
from genotok.finetune.data import TaskData, TokenizedRows, TrainingRows, collate_by_length
from genotok.finetune.optimization import ScheduledTrainer, arguments_of
from genotok.finetune.outputs import Outputs, outputs_of
from genotok.finetune.start import classifier
from genotok.finetune.targets import Targets
from genotok.training.log import ProgressCallback

if TYPE_CHECKING:
    from torch import Tensor

    from genotok.finetune.config import FinetuneConfig
    from genotok.gue import Published
    from genotok.options.learning import ModelRunOptions

__all__ = ["FineTuned", "classifier", "fine_tune", "outputs_of", "steps_of"]


@dataclass(frozen=True, slots=True, eq=False)
class FineTuned:
    """The result of fine-tuning.

    Attributes:
        model: The model with its best weights.
        step: The step of these weights.
        steps: All steps that were planned.
        done: The steps that were done: fewer if there was no better evaluation for long.
        evaluations: Metric and loss on dev at each evaluation: (step, metric, loss).
        outputs: (N, C) predictions for test, from `Problem.probabilities`.
        dev: (N, C) those for dev, by the same weights.
        seconds: Time of training and evaluation.
        cpu_seconds: CPU time of the same, over all threads.
        log: What the trainer logged.
    """

    model: Any
    step: int
    steps: int
    done: int
    evaluations: list[tuple[int, float, float]]
    outputs: Outputs
    dev: Outputs
    seconds: float
    cpu_seconds: float
    log: list[dict[str, float]]


def steps_of(config: FinetuneConfig, rows: int, published: Published | None) -> int:
    """The number of steps: whole epochs, up to the limit."""
    epochs = config.epochs or (published.epochs if published else 3)
    limit = config.max_steps or (published.max_steps if published and config.epochs is None else None)
    steps = -(-rows * epochs // config.batch)
    return max(min(steps, limit) if limit else steps, 1)


def fine_tune(
    model: Any,
    data: TaskData,
    config: FinetuneConfig,
    *,
    steps: int,
    seed: int = 42,
    run: ModelRunOptions,
) -> FineTuned:
    """Train on train, keep the weights that are best on dev, predict test.

    Args:
        model: A sequence classifier; it is changed.
        data: The set.
        config: Settings.
        steps: Updates of the weights.
        seed: Seed of order and dropout; new weights were drawn when the model was made.
        run: Device, and callback for the progress.
    """
    start, cpu_start = time.perf_counter(), time.process_time()
    set_seed(seed)
    targets = Targets.of(data.train.labels) if data.problem.type == "regression" else None
    train = replace(data.train, labels=targets.standard(data.train.labels)) if targets else data.train
    padding = model.config.pad_token_id
    if config.lora:
        model = _with_lora(model, config)
    with TemporaryDirectory(prefix="genotok-") as place:
        trainer = _Trainer(
            model=model,
            args=arguments_of(config, steps, seed, place, run.device, evaluations=config.evaluations),
            train_dataset=TrainingRows(train, steps * config.batch, seed),
            data_collator=partial(collate_by_length, padding=padding),
            callbacks=[ProgressCallback(run.progress, "training")] if run.progress else None,
            data=data,
            targets=targets,
            padding=padding,
            config=config,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    trainer.restore()
    outputs = trainer.outputs(data.test)
    tuned: Any = trainer.model
    best = tuned.merge_and_unload() if config.lora else tuned
    if targets:
        best = trainer.accelerator.unwrap_model(best, keep_fp32_wrapper=False)
        targets.fold_into(best.classifier)
        # Predictions of the saved model: in 32 bits, with mean and scale in its last layer.
        place_of = trainer.args.device
        outputs = outputs_of(best, data.problem, data.test, padding, config.eval_tokens, place_of)
    return FineTuned(
        best,
        trainer.best_step,
        steps,
        trainer.state.global_step,
        trainer.evaluations,
        outputs,
        trainer.best_outputs,
        time.perf_counter() - start,
        time.process_time() - cpu_start,
        trainer.state.log_history,
    )


class _Trainer(ScheduledTrainer):
    """The trainer with evaluations on dev; it keeps the best weights in memory."""

    def __init__(
        self,
        *,
        data: TaskData,
        targets: Targets | None,
        padding: int,
        **settings: Any,
    ) -> None:
        super().__init__(eval_dataset=data.dev, **settings)
        self.dev, self.metric, self.problem = data.dev, data.metric, data.problem
        self.padding = padding
        self.targets = targets
        self.evaluations: list[tuple[int, float, float]] = []
        self.best_step = self._worse = 0
        self.best_outputs: Outputs = np.empty((0, 0))
        self._best: tuple[tuple[float, ...], dict[str, torch.Tensor]] | None = None

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **more: Any
    ) -> Any:
        """The mean loss of a batch, with smooth labels or those of a teacher if they are wanted."""
        smoothing, labels = self.settings.label_smoothing, inputs["labels"]
        is_soft = self.problem.type == "classification" and labels.is_floating_point()
        if self.problem.type == "regression" or not (smoothing or is_soft):
            return super().compute_loss(model, inputs, return_outputs, **more)
        outputs = model(**{name: one for name, one in inputs.items() if name != "labels"})
        loss = smooth_loss(outputs.logits, labels, smoothing, exclusive=self.problem.type == "classification")
        return (loss, outputs) if return_outputs else loss

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Evaluate on dev, once per step; keep the weights if they are the best so far."""
        if self.evaluations and self.evaluations[-1][0] == self.state.global_step:
            return {}
        outputs = self.outputs(self.dev)
        value = merit(self.metric, self.dev.labels, outputs)
        loss = self.problem.loss(outputs, self.dev.labels)
        self.evaluations.append((self.state.global_step, value, loss))
        rank = (value if self.settings.choose_by == "metric" else -loss,)
        if self.problem.type != "classification":  # small sets may have the same metric at every evaluation
            rank += (-loss,)
        if self._best is None or rank > self._best[0]:
            self._best, self.best_outputs = (rank, _trained(self.model)), outputs
            self.best_step, self._worse = self.state.global_step, 0
        else:
            self._worse += 1
            if self._worse == self.settings.patience:
                self.control.should_training_stop = True
        metrics = {f"eval_{self.metric}": value, "eval_loss": loss}
        self.log(metrics)
        return metrics

    def restore(self) -> None:
        """Evaluate a last time, and load the best weights into the model."""
        self.evaluate()
        model: Any = self.model
        if self._best is not None:
            model.load_state_dict(self._best[1], strict=False)

    def outputs(self, rows: TokenizedRows) -> Outputs:
        """Predictions (N, C)."""
        tokens = self.settings.eval_tokens
        found = outputs_of(self.model, self.problem, rows, self.padding, tokens, self.args.device)
        return self.targets.restored(found) if self.targets else found


def smooth_loss(scores: Tensor, labels: Tensor, smoothing: float, *, exclusive: bool = True) -> Tensor:
    """The mean cross entropy of scores (B, C), a share of each label being spread over all classes.

    Labels are class numbers (B,) or probabilities of classes (B, C). If several may hold (not `exclusive`),
    they are (B, C) from 0 to 1: binary cross entropy, each label moved by half of the share.
    """
    wide = scores.to(torch.promote_types(scores.dtype, torch.float32))
    if not exclusive:
        smooth = labels.to(wide.dtype) * (1 - smoothing) + smoothing / 2
        return functional.binary_cross_entropy_with_logits(wide, smooth)
    soft = labels.to(wide.dtype) if labels.is_floating_point() else labels
    return functional.cross_entropy(wide, soft, label_smoothing=smoothing)


def _trained(model: Any) -> dict[str, torch.Tensor]:
    """A copy of the trainable weights."""
    return {name: one.detach().clone() for name, one in model.named_parameters() if one.requires_grad}


def _with_lora(model: Any, config: FinetuneConfig) -> Any:
    """The model with LoRA matrices to train in place of its own."""
    try:
        from peft import LoraConfig, TaskType, get_peft_model  # noqa: PLC0415 - an optional package
    except ImportError:
        raise ArgumentError("lora: needs peft: pip install 'genotok[train]'") from None
    settings = LoraConfig(
        task_type=TaskType.SEQ_CLS,
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        modules_to_save=["classifier", "bert.pooler"],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft uses a name that transformers deprecates
        return get_peft_model(model, settings)
