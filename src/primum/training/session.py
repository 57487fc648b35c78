"""One training from its rows to its outcome: claim the folder, open the model, train or go on, write the adapter."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from primum.engines.local_loading import BaseModel
from primum.errors import EnvironmentFault, TrainingDivergedError
from primum.runs.layout import locked
from primum.schema.training import LoraShape, PreferenceRecipe, TrainingOutcome, TrainingRecipe
from primum.training.folder import ADAPTER, CHECKPOINTS, Identity, claim, finish, place_adapter
from primum.training.libraries import quiet
from primum.training.progress import TrainingProgress
from primum.training.rows import Row, RowEncoder
from primum.training.tally import Tally, read_tally
from primum.training.trainable import Trainable, check_device, open_trainable, processes

# Tokens of one forward pass where the recipe names none. On a CPU more of them only take memory (1.5 MB a token on SmolLM2-135M).
_MICRO_TOKENS: Final = {"cuda": 8192, "mps": 2048, "cpu": 512}
_CHECKPOINTS_A_RUN: Final = 20
_MOST_STEPS_APART: Final = 50
_PREFERENCE_WARMUP: Final = 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """One training.

    Attributes:
        base: What is trained.
        out: Its folder.
        identity: What decides its weights.
        recipe: How.
        lora: Shape of a new adapter, or of the start's; None takes the start's.
        start: The adapter to go on from.
        max_tokens: Longest row.
        micro_tokens: Tokens of a forward pass; None chooses by device.
        encode: Rows to learn and rows to look at, by an encoder.
        build: The trainer for a model and rows.
        progress: Where news goes.
        title: What the training is called.
    """

    base: BaseModel
    out: Path
    identity: Identity
    recipe: TrainingRecipe | PreferenceRecipe
    lora: LoraShape | None
    start: Path | None
    max_tokens: int
    micro_tokens: int | None
    encode: Callable[[RowEncoder], tuple[list[Row], list[Row]]]
    build: Callable[[Trainable, Schedule, Sequence[Row]], Any]
    progress: TrainingProgress
    title: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """Numbers that follow from rows and recipe.

    Attributes:
        arguments: Of transformers' ``TrainingArguments``, common to all kinds.
        steps: Optimiser steps in all.
    """

    arguments: dict[str, Any]
    steps: int


def run(job: Job) -> TrainingOutcome:
    """Train, or go on after the newest checkpoint, or return the finished outcome.

    Raises:
        UsageError: The device cannot do it, or the adapter is for another base.
        DataFormatError: A row cannot be trained on.
        IntegrityError: Another training is in the folder.
        EnvironmentFault: Out of memory with one row a pass.
        TrainingDivergedError: The loss became undefined; the adapter of the last good checkpoint is in its place.
    """
    with locked(job.out) if _first() else contextlib.nullcontext():
        finished = claim(job.out, job.identity, job.recipe)
        if finished is not None:
            job.progress.note(f"{job.title}: already done, {finished.steps} steps")
            return finished
        check_device(job.recipe.precision)  # before seconds are spent on loading
        with quiet():
            return _train(job)


def _first() -> bool:
    return int(os.environ.get("RANK", "0")) == 0


def _train(job: Job) -> TrainingOutcome:
    from primum.training.trainers import StepNews, checkpoints

    opened = open_trainable(job.base, precision=job.recipe.precision, lora=job.lora, start=job.start, seed=job.recipe.seed)
    encoder = RowEncoder(opened.tokenizer, stop_ids=opened.stop_ids, max_tokens=min(job.max_tokens, opened.context))
    rows, validation = job.encode(encoder)
    schedule = _schedule(job, opened, len(rows))
    trainer = job.build(opened, schedule, rows)
    trainer.progress = job.progress
    trainer.tally = Tally(micro_tokens=job.micro_tokens or _MICRO_TOKENS[opened.device]).noting(f"{opened.precision} on {opened.device}")
    kept = checkpoints(job.out / CHECKPOINTS)
    done = int(kept[-1].name.rpartition("-")[2]) if kept else 0
    if kept:
        trainer.tally = read_tally(kept[-1]).noting(f"went on after step {done}")
    news = StepNews(job.progress)
    news.trainer = trainer
    trainer.add_callback(news)
    job.progress.begin(job.title, schedule.steps, done)
    try:
        trainer.train(resume_from_checkpoint=str(kept[-1]) if kept else None)
    except TrainingDivergedError as error:
        raise _keep_last_good(job, trainer.state.global_step, error) from error
    loss, units, tally = trainer.tally.loss, trainer.tally.units, trainer.tally
    looked_at = trainer.mean_loss(validation) if validation else None
    written = job.out / CHECKPOINTS / ".final"
    trainer.save_model(str(written), _internal_call=True)
    digest = place_adapter(job.out, written, base_name=job.base.name) if _first() else ""
    outcome = TrainingOutcome(
        kind=job.identity.kind,
        base=job.base.name,
        base_sha256=job.base.fingerprint,
        data_sha256=job.identity.data_sha256,
        adapter_sha256=digest,
        rows=len(rows),
        steps=trainer.state.global_step,
        tokens=tally.tokens,
        trained_tokens=tally.trained_tokens,
        seconds=round(tally.seconds, 3),
        loss=loss / units,
        validation_loss=looked_at,
        micro_tokens=trainer.tally.micro_tokens,
        notes=tally.notes,
    )
    if _first():
        finish(job.out, outcome)
    trainer.accelerator.wait_for_everyone()
    return outcome


def _schedule(job: Job, opened: Trainable, rows: int) -> Schedule:
    recipe, world = job.recipe, processes()
    each = math.ceil(recipe.batch / world)
    if world > recipe.batch:
        raise EnvironmentFault(f"{world} processes and batches of {recipe.batch}", remedy="raise the recipe's batch, or start fewer processes")
    steps = math.ceil(recipe.epochs * math.ceil(rows / (each * world)))
    # Rounded down: transformers' schedule begins at a rate of 0, and a step without effect is much of a short training.
    warmup = int(steps * (recipe.warmup if isinstance(recipe, TrainingRecipe) else _PREFERENCE_WARMUP))
    arguments = {
        "output_dir": str(job.out / CHECKPOINTS),
        "per_device_train_batch_size": each,
        "gradient_accumulation_steps": 1,
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.rate,
        "warmup_steps": warmup,
        "lr_scheduler_type": "linear",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "optim": "adamw_torch",
        # Four-bit weights are chosen when memory is short; recomputing activations then is worth its quarter of the time.
        "gradient_checkpointing": opened.precision == "nf4",
        "bf16": opened.precision != "float32",
        "use_cpu": opened.device == "cpu",
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "save_strategy": "steps",
        "save_steps": max(1, min(_MOST_STEPS_APART, steps // _CHECKPOINTS_A_RUN)),
        "logging_strategy": "no",
        "logging_nan_inf_filter": False,
        "eval_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "dataloader_pin_memory": False,
        "ddp_find_unused_parameters": False,
        "max_length": None,
    }
    return Schedule(arguments=arguments, steps=steps)


def _keep_last_good(job: Job, step: int, error: TrainingDivergedError) -> TrainingDivergedError:
    """Make the newest checkpoint that a further step has proved sound the adapter, and say so."""
    from primum.training.trainers import checkpoints

    # The weights after ``step`` steps gave the undefined loss; those of an earlier checkpoint have given a finite one since.
    good = [path for path in checkpoints(job.out / CHECKPOINTS) if int(path.name.rpartition("-")[2]) < step]
    if not _first() or not good:
        return TrainingDivergedError(f"{error.message}; no earlier checkpoint was there to keep", remedy=error.remedy)
    place_adapter(job.out, good[-1], base_name=job.base.name)
    return TrainingDivergedError(f"{error.message}; {job.out / ADAPTER} holds {good[-1].name}", remedy=error.remedy)
