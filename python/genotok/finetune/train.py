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
from numpy.typing import NDArray
from transformers import TrainingArguments, set_seed

from genotok.embedding.embedder import batches
from genotok.errors import ArgumentError
from genotok.evaluation.metrics import merit
from genotok.evaluation.problem import Problem
from genotok.finetune.data import TaskData, TokenizedRows, TrainingRows, collate
from genotok.finetune.targets import Targets
from genotok.model.huggingface import DnaBert2ForSequenceClassification
from genotok.model_folder.load import config_of, load_pretrained
from genotok.training.log import ProgressCallback, quietly
from genotok.training.trainer import OrderedTrainer

if TYPE_CHECKING:
    from genotok.finetune.config import FinetuneConfig
    from genotok.gue import Published
    from genotok.model_folder.read import ModelFolder
    from genotok.options.learning import ModelRunOptions

__all__ = ["FineTuned", "classifier", "fine_tune", "outputs_of", "steps_of"]

Outputs = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FineTuned:
    """The result of fine-tuning.

    Attributes:
        model: The model with its best weights.
        step: The step of these weights.
        steps: All steps.
        evaluations: Metric and loss on dev at each evaluation: (step, metric, loss).
        outputs: (N, C) predictions for test, from `Problem.probabilities`.
        seconds: Time of training and evaluation.
        log: What the trainer logged.
    """

    model: Any
    step: int
    steps: int
    evaluations: list[tuple[int, float, float]]
    outputs: Outputs
    seconds: float
    log: list[dict[str, float]]


def classifier(folder: ModelFolder, problem: Problem, *, fresh: bool = False) -> Any:
    """A model's encoder with a new classifier; with `fresh` all weights are new.

    Raises:
        ArgumentError: The weights are damaged.
        OSError: They cannot be read.
    """
    if fresh:
        return DnaBert2ForSequenceClassification(config_of(folder, **problem.config()))
    with quietly():
        return load_pretrained(DnaBert2ForSequenceClassification, folder, **problem.config())


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
    start = time.perf_counter()
    set_seed(seed)
    targets = Targets.of(data.train.labels) if data.problem.type == "regression" else None
    train = replace(data.train, labels=targets.standard(data.train.labels)) if targets else data.train
    padding = model.config.pad_token_id
    if config.lora:
        model = _with_lora(model, config)
    with TemporaryDirectory(prefix="genotok-") as place:
        trainer = _Trainer(
            model=model,
            args=_arguments(config, steps, seed, place, run.device),
            train_dataset=TrainingRows(train, steps * config.batch, seed),
            data_collator=partial(collate, padding=padding),
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
    seconds = time.perf_counter() - start
    return FineTuned(
        best, trainer.best_step, steps, trainer.evaluations, outputs, seconds, trainer.state.log_history
    )


class _Trainer(OrderedTrainer):
    """The trainer with evaluations on dev; it keeps the best weights in memory."""

    def __init__(
        self,
        *,
        data: TaskData,
        targets: Targets | None,
        padding: int,
        config: FinetuneConfig,
        **settings: Any,
    ) -> None:
        super().__init__(eval_dataset=data.dev, **settings)
        self.dev, self.metric, self.problem = data.dev, data.metric, data.problem
        self.padding = padding
        self.settings, self.targets = config, targets
        self.evaluations: list[tuple[int, float, float]] = []
        self.best_step = 0
        self._best: tuple[tuple[float, ...], dict[str, torch.Tensor]] | None = None

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
            self._best = (rank, _trained(self.model))
            self.best_step = self.state.global_step
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


def outputs_of(
    model: Any, problem: Problem, rows: TokenizedRows, padding: int, max_tokens: int, device: torch.device
) -> Outputs:
    """Predictions (N, C), from `Problem.probabilities`; a row's prediction does not depend on the other rows.

    Rows are computed in batches of similar length, of at most `max_tokens` tokens unless of one row.
    """
    was_training = model.training
    model.eval()
    out: Outputs | None = None
    with torch.inference_mode():
        for numbers in batches(rows.lengths, max_tokens):
            some = collate([(rows.ids[number], 0) for number in numbers.tolist()], padding)
            inputs = {name: some[name].to(device) for name in ("input_ids", "attention_mask")}
            found = problem.probabilities(model(**inputs).logits)
            if out is None:
                out = np.empty((len(rows), found.shape[1]))
            out[numbers] = found
    model.train(was_training)
    if out is None:
        raise ArgumentError("sequences: none; at least one is expected")
    return out


def _arguments(config: FinetuneConfig, steps: int, seed: int, place: str, device: str) -> TrainingArguments:
    """The settings for transformers."""
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
        eval_strategy="steps",
        eval_steps=-(-steps // config.evaluations),
        save_strategy="no",
        report_to="none",
        dataloader_pin_memory=not use_cpu,
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=use_cpu,
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # noqa: SLF001 - several GPUs would split batches
    return arguments


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
