"""A pre-training run: a folder that can be resumed, and finally a model that `transformers` loads."""

from __future__ import annotations

import dataclasses
import os
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers
from transformers import TrainingArguments, set_seed

from genotok.corpus.verdict import describe
from genotok.errors import ArgumentError
from genotok.files.atomic import write_atomic
from genotok.files.identity import vocabulary_sha256
from genotok.model.huggingface import DnaBert2Config, DnaBert2ForMaskedLM
from genotok.model_folder.tokenizer_files import FolderTokenizer
from genotok.options import grouped
from genotok.options.learning import ModelRunKeywords, ModelRunOptions
from genotok.options.pretraining import PretrainKeywords, PretrainOptions
from genotok.pretrain.corpus import unigram_costs
from genotok.pretrain.evaluation import HeldOut, MaskedTrainer
from genotok.pretrain.saving import save_model
from genotok.pretrain.sources import open_source, tokenizer_of
from genotok.pretrain.tokens import TOKENIZER, bases_of_tokens, spelling_if_seen
from genotok.run_records.provenance import Provenance
from genotok.run_records.schemas import PretrainRecord
from genotok.tokenizer.special_ids import SpecialIds
from genotok.training import checkpoints
from genotok.training.batches import Masking
from genotok.training.log import JsonLines, ProgressCallback, cut_log, quietly
from genotok.training.masked_batches import collate
from genotok.training.new_encoder import EARLIER, new_encoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Unpack

    from genotok.options import Progress
    from genotok.options.learning import OnStatus
    from genotok.pretrain.config import PretrainConfig
    from genotok.pretrain.data import TrainingData, TrainingSource
    from genotok.tokenizer import Tokenizer

__all__ = ["LOG", "REPORT", "PretrainingKeywords", "pretrain", "pretrain_model"]

REPORT = "pretrain.json"
LOG = "log.jsonl"


class PretrainingKeywords(PretrainKeywords, ModelRunKeywords, total=False):
    """The keywords of `pretrain`."""


def pretrain(
    files: Sequence[str],
    output: str | os.PathLike[str],
    config: PretrainConfig,
    **options: Unpack[PretrainingKeywords],
) -> dict[str, Any]:
    """Train a masked language model, and save it as a folder with its tokenizer.

    Started by `torchrun` or `accelerate launch`, all processes train one model. On the CPU a run is
    reproducible to the bit, resumed or not, with the same settings and threads on the same machine.

    Args:
        files: Sequence files or patterns; or one folder or file of encoded sequences; with `windows` also
            packed files or folders of packed shards.
        output: The folder of the run and the model.
        config: Settings.
        tokenizer: A tokenizer.json; None for that in a folder of encoded sequences, or `tokenizer.json` here.
        hold_out: Records to evaluate on and not to train on.
        windows: Cut the genomes into windows of this many bases, at new offsets and on random strands in each
            epoch, encoded while the model trains; None to encode them once.
        stranded: Read windows on the strand in the files only.
        resume: Resume a run that was stopped.
        device: "auto", or "cpu".
        threads: Threads of encoding, and of torch on the CPU.
        allow_unknown: The share of a file's symbols other than N that may be unknown (`corpus.verdict`).
        report_to: Trackers of transformers, such as "tensorboard".
        on_status: Called with a message about unknown symbols, before training starts.
        progress: Called with a dictionary as the run proceeds; an exception stops it.

    Returns:
        The contents of `pretrain.json`: settings, figures, versions.

    Raises:
        ArgumentError: The folder is in use, the settings are not those of the run to resume, or a value
            is out of range.
        SequenceFileError: A file is malformed.
        OSError: A file cannot be read or written.
    """
    return pretrain_model(
        files, output, config, *grouped("pretrain", options, PretrainOptions, ModelRunOptions)
    )


@quietly()
def pretrain_model(
    files: Sequence[str],
    output: str | os.PathLike[str],
    config: PretrainConfig,
    options: PretrainOptions,
    run: ModelRunOptions,
) -> dict[str, Any]:
    """`pretrain`, with its options as groups."""
    folder, start = Path(output), time.monotonic()
    tokenizer = tokenizer_of(files, options)
    spelling_if_seen(tokenizer, config)  # an error before anything is written
    settings: dict[str, Any] = {
        "config": dataclasses.asdict(config),
        "files": list(files),
        "hold_out": list(options.hold_out),
        "windows": options.windows,
        "stranded": options.stranded,
    }
    arguments = _arguments(config, folder, run.device, options.report_to)
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    with ExitStack() as held:
        claimed: checkpoints.RunFolder | None = None
        with arguments.main_process_first(local=False, desc="encoding"):
            if arguments.process_index == 0:
                claimed = held.enter_context(
                    _claimed(folder, settings, tokenizer, options.resume, run.on_status)
                )
            source = open_source(files, folder, tokenizer, options, run)
            if claimed:
                claimed.identify(source.digests())
        if text := describe(source.symbols, source.unknown):
            run.notify(text)
        latest = checkpoints.latest(folder, run.on_status) if options.resume else None
        step = checkpoints.step_of(latest) if latest else 0
        trainer, data = _trainer(config, arguments, tokenizer, source, run.progress)
        if arguments.process_index == 0:
            cut_log(folder / LOG, step)
        model: Any = trainer.model
        done = trainer.train(resume_from_checkpoint=str(latest) if latest else None)
        waiting, metrics = trainer.counters.waiting(), trainer.evaluate()
        record = PretrainRecord(
            provenance=Provenance.now(
                ("torch", "transformers"), seeds=[config.seed], inputs=claimed.recorded if claimed else {}
            ),
            **settings,
            unknown=source.unknown,
            tokens=data.tokens,
            train_sequences=len(data.train),
            held_out_sequences=len(data.held_out),
            steps=trainer.state.global_step,
            train_loss=done.training_loss,
            parameters=model.num_parameters(),
            processes=arguments.world_size,
            device=str(arguments.device),
            resumed_at=step,
            seconds=round(time.monotonic() - start, 1),
            waiting=waiting,
            more=metrics,
        )
        report = record.to_json()
        # All processes take part, as weights may be sharded over them.
        weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
        if arguments.process_index == 0:
            whole = trainer.accelerator.unwrap_model(model)
            save_model(whole, weights, folder, tokenizer, source.inputs(), report)
            write_atomic(folder / REPORT, record.text().encode())  # last: marks the run as complete
    return report


def _arguments(
    config: PretrainConfig, folder: Path, device: str, report_to: Sequence[str]
) -> TrainingArguments:
    """The settings as transformers has them; this is where processes find each other."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    use_cpu = device == "cpu" or not torch.cuda.is_available()
    accumulation = config.accumulation(processes)
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=config.steps,
        per_device_train_batch_size=config.batch // accumulation // processes,
        gradient_accumulation_steps=accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        adam_beta1=config.beta1,
        adam_beta2=config.beta2,
        adam_epsilon=config.epsilon,
        max_grad_norm=config.clip,
        bf16=config.precision == "bf16",
        fp16=config.precision == "fp16",
        seed=config.seed,
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,
        eval_strategy="steps",
        eval_steps=config.evaluate_every,
        save_strategy="steps",
        save_steps=config.save_every,
        report_to=list(report_to) or "none",
        dataloader_num_workers=config.workers,
        dataloader_pin_memory=not use_cpu,
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=use_cpu,
        ddp_backend="gloo" if use_cpu and processes > 1 else None,
        ddp_find_unused_parameters=False if processes > 1 else None,
    )
    arguments._n_gpu = min(arguments.n_gpu, 1)  # noqa: SLF001 - several GPUs need torchrun
    return arguments


def _trainer(
    config: PretrainConfig,
    arguments: TrainingArguments,
    tokenizer: Tokenizer,
    source: TrainingSource,
    progress: Progress | None,
) -> tuple[MaskedTrainer, TrainingData]:
    """Model, data and trainer."""
    special = SpecialIds.of(tokenizer)
    masking = Masking(special, config.mask_share, span=config.mask_span)
    data = source.data(config, masking, arguments)
    held_out = HeldOut(
        data.held_out,
        masking,
        bases_of_tokens(tokenizer),
        unigram_costs(data.train, special.vocab_size),
        config.evaluate_sequences,
        arguments.per_device_train_batch_size,
    )
    set_seed(config.seed)
    digest, spelling = vocabulary_sha256(tokenizer), spelling_if_seen(tokenizer, config)
    model = DnaBert2ForMaskedLM(_model_config(config, special, digest, spelling))
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    callbacks: list[Any] = [JsonLines(Path(str(arguments.output_dir)) / LOG)]
    if progress is not None:
        callbacks.append(ProgressCallback(progress, "training"))
    trainer = MaskedTrainer(
        model=model,
        args=arguments,
        train_dataset=data.run,
        data_collator=partial(collate, padding=special.padding),
        callbacks=callbacks,
        held_out=held_out,
        keep=config.keep,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer, data


def _model_config(
    config: PretrainConfig, special: SpecialIds, digest: str | None = None, spelling: str = ""
) -> DnaBert2Config:
    """The model's configuration, with the tokenizer's special tokens, its digest and its spelling."""
    changes: dict[str, Any] = {"vocab_size": special.vocab_size, "hidden_dropout": config.dropout}
    sizes = new_encoder(config, **changes, spelling=spelling)
    return DnaBert2Config(
        **sizes.to_published(),
        pad_token_id=special.padding,
        unk_token_id=special.unknown,
        cls_token_id=special.first,
        sep_token_id=special.end,
        mask_token_id=special.mask,
        tokenizer_sha256=digest,
    )


@contextmanager
def _claimed(
    folder: Path,
    settings: dict[str, Any],
    tokenizer: Tokenizer,
    resume: bool,
    on_status: OnStatus | None,
) -> Iterator[checkpoints.RunFolder]:
    """Start in an empty folder, or resume the run of a folder with these settings and this tokenizer."""
    digests = {"tokenizer": vocabulary_sha256(tokenizer)}
    identity = checkpoints.RunIdentity(
        settings=settings, digests=digests, names=("files",), earlier={"config": EARLIER}
    )
    with checkpoints.claim(folder, identity, resume=resume, on_status=on_status) as run:
        place = folder / TOKENIZER
        if not place.exists():
            for name, content in FolderTokenizer(tokenizer, SpecialIds.of(tokenizer)).files().items():
                write_atomic(folder / name, content)
        elif _as_saved(tokenizer) != _as_saved(type(tokenizer).from_file(place)):
            raise ArgumentError(f"{folder}: was started with another tokenizer")
        checkpoints.remove_unfinished(folder)
        yield run


def _as_saved(tokenizer: Tokenizer) -> str:
    """The tokenizer file that a model folder has."""
    return FolderTokenizer(tokenizer, SpecialIds.of(tokenizer)).self_contained().to_json()
