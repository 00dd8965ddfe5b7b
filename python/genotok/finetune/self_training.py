"""Pre-training of a new encoder on the sequences that it is fine-tuned on then: masked tokens of train.

Labels are not read, and neither are dev and test. The encoder of the classifier itself is trained, under the
head of a masked language model that is dropped afterwards.
"""

from __future__ import annotations

import time
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import transformers
from transformers import set_seed

from genotok.finetune.data import TrainingRows
from genotok.finetune.optimization import ScheduledTrainer, arguments_of
from genotok.model.huggingface import DnaBert2ForMaskedLM
from genotok.training.batches import Masking
from genotok.training.log import ProgressCallback
from genotok.training.masked_batches import collate

if TYPE_CHECKING:
    from genotok.finetune.config import FinetuneConfig
    from genotok.finetune.data import TokenizedRows
    from genotok.options.learning import ModelRunOptions
    from genotok.tokenizer.special_ids import Ids, SpecialIds

__all__ = ["MaskedRows", "pretrain_encoder"]

MASKS = 0x73656C66
"""A key of these masks, apart from other draws with the same seed."""


class MaskedRows:
    """The sequences of a run in training order with masks, as a torch data set.

    Args:
        rows: The sequences; where both strands are there, each is read on a random one.
        masking: How tokens are masked.
        count: Sequences of the run.
        seed: Seed of order, strands and masks.
    """

    def __init__(self, rows: TokenizedRows, masking: Masking, count: int, seed: int) -> None:
        self._rows, self._masking, self._seed = TrainingRows(rows, count, seed), masking, seed

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> tuple[Ids, Ids]:
        """Inputs and labels of the k-th sequence to train on."""
        ids, _ = self._rows[place]
        return self._masking.apply(ids, MASKS, self._seed, place)


def pretrain_encoder(
    classifier: Any,
    rows: TokenizedRows,
    special: SpecialIds,
    config: FinetuneConfig,
    *,
    seed: int,
    run: ModelRunOptions,
) -> dict[str, Any]:
    """Train the encoder of a classifier to predict masked tokens, for `config.pretrain_steps` steps.

    Args:
        classifier: A sequence classifier; its encoder is changed.
        rows: The train split.
        special: The special tokens of its vocabulary.
        config: Settings; batch, schedule and learning rate are those of fine-tuning.
        seed: Seed of order, strands, masks and dropout.
        run: Device, and callback for the progress.

    Returns:
        Steps, the mean loss of the last twentieth of them in nats per masked token, and seconds.
    """
    start = time.perf_counter()
    set_seed(seed)
    model = DnaBert2ForMaskedLM(classifier.config)
    model.bert.embeddings, model.bert.encoder = classifier.bert.embeddings, classifier.bert.encoder
    model.tie_weights()
    steps = config.pretrain_steps
    masking = Masking(special, config.mask_share)
    with TemporaryDirectory(prefix="genotok-") as place:
        trainer = ScheduledTrainer(
            model=model,
            args=arguments_of(config, steps, seed, place, run.device),
            train_dataset=MaskedRows(rows, masking, steps * config.batch, seed),
            data_collator=partial(collate, padding=special.padding),
            callbacks=[ProgressCallback(run.progress, "pre-training")] if run.progress else None,
            config=config,
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    losses = [one["loss"] for one in trainer.state.log_history if "loss" in one]
    return {"steps": steps, "loss": losses[-1], "seconds": round(time.perf_counter() - start, 1)}
