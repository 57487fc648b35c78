"""trl's trainers, told to take one optimiser step as one batch and to spread it over forward passes themselves.

The loop, the optimiser, mixed precision, several processes and checkpoints are transformers' and accelerate's; the losses are trl's. What is ours:
how many rows share a forward pass (by tokens, not by number), going on with fewer when memory runs out, stopping at an undefined loss, and
checkpoints that appear whole or not at all. A batch reaches the trainer as rows, not tensors, and is laid out pass by pass.

This module imports torch and trl; nothing imports it before something is trained.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers
import trl

from primum.errors import EnvironmentFault, TrainingDivergedError
from primum.hashing import derived_seed
from primum.training.progress import TrainingProgress
from primum.training.rows import Row
from primum.training.tally import Tally, keep_tally

SCRATCH = ".saving"


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows become forward passes, and what their loss is averaged over.

    Attributes:
        plan: Rows of a step and a token budget to parts.
        lay_out: One part to the model's inputs.
        units: Answer tokens or pairs in some rows.
        per_token: True where trl's loss takes the step's number of tokens; else it is a mean over a part's pairs.
    """

    plan: Callable[[Sequence[Row], int], list[list[Row]]]
    lay_out: Callable[[Sequence[Row]], dict[str, Any]]
    units: Callable[[Sequence[Row]], int]
    per_token: bool


class StepRows:
    """The rows of one step. A plain object, so that accelerate passes it on without looking for tensors in it."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)


class _StepTrainer:
    """What every kind of training adds to trl's trainer; stands before it in the order of classes."""

    layout: Layout
    tally: Tally
    progress: TrainingProgress
    _saving = False

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...  # everything else is trl's

    def _send_telemetry(self) -> None:
        """No message leaves this machine."""

    def floating_point_ops(self, inputs: Any) -> int:
        """Not counted: a batch is rows here, not tensors."""
        return 0

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> None:
        return None

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return transformers.Trainer._get_train_sampler(self, train_dataset)

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset  # row numbers; the rows were encoded before

    def training_step(self, model: Any, inputs: dict[str, StepRows], num_items_in_batch: Any = None) -> Any:
        """Run one whole optimiser step's rows forward and backward; the mean loss."""
        rows = inputs["rows"].rows
        started, epoch = time.monotonic(), int(self.state.epoch or 0)
        model.train()
        while True:
            parts = self.layout.plan(rows, self.tally.micro_tokens)
            try:
                loss, units = self._run_parts(model, parts, rows)
                break
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                fault = str(type(error).__name__)
            self._make_room(model, parts, fault)
        mean = loss / units
        self.tally = self.tally.after(
            epoch=epoch,
            loss=float(loss),
            units=int(units),
            tokens=self._summed(sum(row.tokens for row in rows)),
            trained_tokens=self._summed(sum(len(row.answer) + len(row.rejected) for row in rows)),
            seconds=time.monotonic() - started,
        )
        self._metrics["train"].clear()
        self._last_loss = float(mean)
        return mean

    def _run_parts(self, model: Any, parts: list[list[Row]], rows: Sequence[Row]) -> tuple[Any, int]:
        """Every part forward and backward; the summed loss over all processes, and what it is a sum over."""
        # Seeded by the step and not by what went before, so that a resumed training drops out the same inputs.
        torch.manual_seed(derived_seed("training-step", self.args.seed, self.state.global_step, self.args.process_index))
        world, units = self.args.world_size, self._summed(self.layout.units(rows))
        passes = len(parts) if world == 1 else int(self.accelerator.gather(torch.tensor([len(parts)], device=self.args.device)).max())
        total = torch.zeros((), device=self.args.device)
        for index in range(passes):
            part = parts[min(index, len(parts) - 1)]
            with contextlib.nullcontext() if index == passes - 1 else self.accelerator.no_sync(model):
                batch = self._prepare_inputs(self.layout.lay_out(part))
                with self.compute_loss_context_manager():
                    loss = self._part_loss(model, batch, part, units)
                if index >= len(parts):
                    loss = loss * 0.0  # another process has more parts: sharded models must run equally often
                if not torch.isfinite(loss):
                    raise diverged(self.state.global_step + 1, "loss")
                self.accelerator.backward(loss)
            total += loss.detach() * units / world
        return self._summed(total), units

    def _part_loss(self, model: Any, batch: dict[str, Any], part: Sequence[Row], units: int) -> Any:
        """This part's share of the step's mean loss, times the number of processes, over which gradients are averaged."""
        if self.layout.per_token:
            return self.compute_loss(model, batch, num_items_in_batch=units)
        return self.compute_loss(model, batch) * (self.layout.units(part) * self.args.world_size / units)

    def _summed(self, value: Any) -> Any:
        """The sum over all processes, of a number or a scalar."""
        if self.args.world_size == 1:
            return value
        one = value.reshape(1) if torch.is_tensor(value) else torch.tensor([value], device=self.args.device)
        total = self.accelerator.gather(one).sum()
        return total if torch.is_tensor(value) else int(total)

    def _make_room(self, model: Any, parts: list[list[Row]], fault: str) -> None:
        """After running out of memory: at most half as many tokens a pass from now on.

        Raises:
            EnvironmentFault: Every pass holds one row already, or several processes train together (the others wait in a collective call).
        """
        model.zero_grad(set_to_none=True)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        size = max(sum(row.tokens for row in part) for part in parts)
        if self.args.world_size > 1:
            raise EnvironmentFault(f"out of memory in a pass of {size} tokens ({fault})", remedy=f"set micro_tokens to {size // 2} in the recipe")
        if all(len(part) == 1 for part in parts):
            raise EnvironmentFault(
                f"out of memory with one row of {size} tokens a pass ({fault})",
                remedy="shorten the rows (max_tokens), adapt fewer layers, or train on a larger device",
            )
        fewer = max(1, min(self.tally.micro_tokens, size) // 2)
        text = f"out of memory at step {self.state.global_step + 1}: a forward pass now holds at most {fewer} tokens"
        self.tally = self.tally.model_copy(update={"micro_tokens": fewer}).noting(text)
        self.progress.note(text)

    def _clip_grad_norm(self, model: Any) -> Any:
        norm = super()._clip_grad_norm(model)  # type: ignore[misc]
        if not torch.isfinite(torch.as_tensor(norm)).all():
            raise diverged(self.state.global_step + 1, "gradient")
        return norm

    def mean_loss(self, rows: Sequence[Row]) -> float:
        """Nats an answer token over ``rows``, without learning."""
        model = self.model.eval()
        total = torch.zeros((), device=self.args.device)
        with torch.no_grad():
            for part in self.layout.plan(rows, self.tally.micro_tokens):
                batch = self._prepare_inputs(self.layout.lay_out(part))
                with self.compute_loss_context_manager():
                    total += self._part_loss(model, batch, part, 1) / self.args.world_size
        self._metrics["eval"].clear()
        return float(total) / self.layout.units(rows)

    def _get_output_dir(self, trial: Any) -> str:
        folder = self.args.output_dir
        return os.path.join(folder, SCRATCH) if self._saving else folder

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Write a checkpoint aside and rename it when it is whole; the two newest are kept."""
        self._saving = True
        try:
            transformers.Trainer._save_checkpoint(self, model, trial)
        finally:
            self._saving = False
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            folder = Path(self.args.output_dir)
            name = f"checkpoint-{self.state.global_step}"
            keep_tally(folder / SCRATCH / name, self.tally)
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / SCRATCH / name).rename(folder / name)
            shutil.rmtree(folder / SCRATCH, ignore_errors=True)
            for old in checkpoints(folder)[:-2]:
                shutil.rmtree(old)
        self.accelerator.wait_for_everyone()

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """The adapter alone: peft's own default would ask the hub about the base."""
        if self.args.should_save:
            self.accelerator.unwrap_model(self.model).save_pretrained(
                output_dir or self.args.output_dir, state_dict=state_dict, selected_adapters=["default"], save_embedding_layers=False
            )


class DemonstrationTrainer(_StepTrainer, trl.SFTTrainer):
    """Supervised fine-tuning."""


class PairTrainer(_StepTrainer, trl.DPOTrainer):
    """Direct preference optimisation."""


class UnpairedTrainer(_StepTrainer, trl.KTOTrainer):
    """Kahneman-Tversky optimisation."""


class StepNews(transformers.TrainerCallback):
    """Tells each finished step."""

    def __init__(self, progress: TrainingProgress) -> None:
        self.progress = progress
        self.trainer: Any = None

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers after the optimiser's step, before a checkpoint."""
        if state.is_world_process_zero:
            self.progress.advance(state.global_step, self.trainer._last_loss)


def checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints, oldest first."""
    return sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))


def out_of_memory(error: BaseException) -> bool:
    """True where memory ran out, on a GPU or a CPU."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error) or "not enough memory" in str(error)


def diverged(step: int, what: str) -> TrainingDivergedError:
    """The error of an undefined loss or gradient."""
    return TrainingDivergedError(
        f"the {what} of step {step} is infinite or undefined; training stopped before this step changed the weights",
        remedy="lower the recipe's rate, raise its warmup or batch, or train in float32",
    )
