"""What a model is trained on, how, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from primum.schema.base import Language, NonEmpty, Record
from primum.schema.item import Message

# Where a demonstration or preference comes from: the bank's norms (free answers), the bank's choice items, legitimate look-alikes of the bank,
# MedSafetyBench's safe training answers, general safety topics, a model's own accepted answers, or a user's file.
Origin = Literal["bank", "choice", "benign", "medsafetybench", "general", "sampled", "user"]
Precision = Literal["auto", "float32", "bfloat16", "nf4"]
TrainingKind = Literal["sft", "dpo", "kto"]


class Demonstration(Record):
    """A conversation and the answer that a model should give.

    Attributes:
        id: Unique in a training set; says where the text comes from.
        messages: The conversation, ending with the user's turn.
        answer: The answer to learn.
        origin: Where it comes from.
        language: Of the answer.
        norm: The norm behind it; empty where there is none.
    """

    id: NonEmpty
    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    answer: NonEmpty
    origin: Origin
    language: Language
    norm: str = ""


class Preference(Record):
    """A conversation and two answers, the first of which is better.

    Attributes:
        id: Unique in a training set.
        messages: The conversation, ending with the user's turn.
        chosen: The better answer.
        rejected: The worse one.
        origin: Where the rejected answer comes from.
        language: Of the answers.
        norm: The norm behind them.
    """

    id: NonEmpty
    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    chosen: NonEmpty
    rejected: NonEmpty
    origin: Origin
    language: Language
    norm: str = ""


class LoraShape(Record):
    """Low-rank adapters (Hu et al., arXiv 2106.09685); the defaults are those of arXiv 2403.03744.

    Attributes:
        rank: Rank of the factors.
        alpha: Their scale is ``alpha / rank``.
        dropout: Share of inputs dropped before the factors.
        targets: Names of the adapted linear layers.
        upper: Share of the blocks that is adapted, counted from the output and rounded up. Nothing below is differentiated, which saves time and
            memory: with half of the blocks a quarter of the work.
    """

    rank: int = Field(default=8, ge=1)
    alpha: float = Field(default=16, gt=0)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: Annotated[tuple[NonEmpty, ...], Field(min_length=1)] = ("q_proj", "v_proj")
    upper: float = Field(default=1, gt=0, le=1)


class TrainingRecipe(Record):
    """Supervised fine-tuning; the defaults are those of arXiv 2403.03744.

    Attributes:
        lora: Shape of the adapters.
        rate: Peak learning rate.
        epochs: Times through the demonstrations.
        batch: Demonstrations of one optimiser step.
        micro_tokens: Upper bound on tokens (packed, without padding) of one forward pass; None chooses by device. Halved, and said so, when memory
            runs out.
        max_tokens: Longest demonstration; a longer one is refused by name, never cut.
        warmup: Share of steps over which the rate rises.
        packing: Lay demonstrations end to end, each seeing itself alone.
        precision: ``auto`` asks the device; ``nf4`` is QLoRA (arXiv 2305.14314), CUDA only.
        seed: Decides order, dropout and initial factors.
    """

    lora: LoraShape = LoraShape()
    rate: float = Field(default=3e-4, gt=0)
    epochs: float = Field(default=3, gt=0)
    batch: int = Field(default=128, ge=1)
    micro_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: int = Field(default=1024, ge=8)
    warmup: float = Field(default=0.03, ge=0, lt=1)
    packing: bool = True
    precision: Precision = "auto"
    seed: int = 0


class PreferenceRecipe(Record):
    """Preference optimisation: DPO (arXiv 2305.18290) or KTO (arXiv 2402.01306) on the adapter that supervised fine-tuning left.

    Attributes:
        method: Which loss.
        beta: Strength of the tie to the reference, the model before this step.
        rate: Peak learning rate.
        epochs: Times through the preferences.
        batch: Preferences of one optimiser step.
        max_tokens: Longest prompt and answer together.
        precision: As in :class:`TrainingRecipe`.
        seed: Decides order and dropout.
    """

    method: Literal["dpo", "kto"] = "dpo"
    beta: float = Field(default=0.1, gt=0)
    rate: float = Field(default=5e-5, gt=0)
    epochs: float = Field(default=1, gt=0)
    batch: int = Field(default=16, ge=1)
    max_tokens: int = Field(default=1024, ge=8)
    precision: Precision = "auto"
    seed: int = 0


class TrainingOutcome(Record):
    """What one training did; written beside the adapter as ``outcome.json``.

    Attributes:
        kind: Which loss.
        base: Name of the base model.
        base_sha256: Fingerprint of its weights.
        data_sha256: Of the demonstrations or preferences, in order.
        adapter_sha256: Of the adapter's weights file.
        rows: Demonstrations or preferences.
        steps: Optimiser steps.
        tokens: Tokens through the model, prompts and answers, all epochs.
        trained_tokens: Of these, tokens that carried loss.
        seconds: Wall time of the training loop.
        loss: Mean loss of the last epoch, nats a token (SFT) or a pair.
        validation_loss: The same on the validation rows, after training; None where there were none.
        micro_tokens: Tokens of a forward pass that the device could hold in the end.
        notes: What a user should know: halved batches, resumed steps, precision chosen.
    """

    kind: TrainingKind
    base: str
    base_sha256: str
    data_sha256: str
    adapter_sha256: str
    rows: int
    steps: int
    tokens: int
    trained_tokens: int
    seconds: float
    loss: float
    validation_loss: float | None = None
    micro_tokens: int = 0
    notes: tuple[str, ...] = ()
