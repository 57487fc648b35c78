"""Preference optimisation on the adapter that supervised fine-tuning left: DPO (arXiv 2305.18290) or KTO (arXiv 2402.01306).

The reference is the model with ``start``. trl keeps a frozen copy of the adapter beside the trained one and switches between them: the base's
weights are there once, and a copy of the adapter costs a few megabytes. Reference log-probabilities computed before the first step would save
nothing in one epoch, and would have to be kept and checked across resumptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from primum.engines.local_loading import BaseModel
from primum.errors import DataFormatError
from primum.schema.training import Preference, PreferenceRecipe, TrainingOutcome
from primum.training.folder import Identity, adapter_digest, recipe_digest, rows_digest
from primum.training.packing import lay_pairs, lay_unpaired, padded_parts
from primum.training.progress import TrainingProgress
from primum.training.rows import Row
from primum.training.session import Job, Schedule, run
from primum.training.trainable import Trainable

LEAST_ROWS = 2


def train_preferences(
    base: BaseModel,
    preferences: Sequence[Preference],
    out: Path,
    *,
    recipe: PreferenceRecipe,
    start: Path | None,
    progress: TrainingProgress | None = None,
) -> TrainingOutcome:
    """Train an adapter on preferences; ``out``, resumption and errors as in :func:`primum.training.supervised.train_supervised`.

    Args:
        base: From ``find_base`` or ``find_embedded``.
        preferences: Better and worse answers.
        out: This training's own folder.
        recipe: How.
        start: The adapter to go on from, and the reference; None is the base itself, with a new adapter of the default shape.
        progress: Where news goes.
    """
    if len(preferences) < LEAST_ROWS:
        raise DataFormatError(f"{len(preferences)} preferences to learn from; at least {LEAST_ROWS} are needed", remedy="add preferences")
    identity = Identity(
        kind=recipe.method,
        base_sha256=base.fingerprint,
        start_sha256=adapter_digest(start),
        data_sha256=rows_digest(preferences),
        validation_sha256=rows_digest([]),
        recipe_sha256=recipe_digest(recipe),
    )
    return run(
        Job(
            base=base,
            out=out,
            identity=identity,
            recipe=recipe,
            lora=None,
            start=start,
            max_tokens=recipe.max_tokens,
            micro_tokens=None,
            encode=lambda encoder: (encoder.preferences(preferences), []),
            build=partial(_trainer, recipe=recipe),
            progress=progress or TrainingProgress(),
            title=f"preference optimisation ({recipe.method.upper()})",
        )
    )


def _trainer(opened: Trainable, schedule: Schedule, rows: Sequence[Row], *, recipe: PreferenceRecipe) -> Any:
    import trl
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl.trainer.dpo_trainer import DataCollatorForPreference
    from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

    from primum.training.answer_head import score_answers_only
    from primum.training.trainers import Layout, PairTrainer, StepRows, UnpairedTrainer

    paired = recipe.method == "dpo"
    kind, config = (PairTrainer, trl.DPOConfig) if paired else (UnpairedTrainer, trl.KTOConfig)
    trainer = kind(
        model=opened.model,
        args=config(**schedule.arguments, beta=recipe.beta, disable_dropout=True),
        train_dataset=Dataset.from_dict({"row": list(range(len(rows)))}),
        processing_class=opened.tokenizer,
        data_collator=lambda picked: {"rows": StepRows([rows[one["row"]] for one in picked])},
    )
    trainer.remove_callback(PrinterCallback)
    if opened.device == "cpu" and not trainer.aux_loss_enabled:
        score_answers_only(opened.model.get_base_model())
    pad = opened.tokenizer.pad_token_id
    collate = (DataCollatorForPreference if paired else DataCollatorForUnpairedPreference)(pad_token_id=0 if pad is None else pad)
    trainer.layout = Layout(
        plan=partial(padded_parts, sequences=2),
        lay_out=partial(lay_pairs if paired else lay_unpaired, collate=collate),
        units=len,
        per_token=False,
    )
    return trainer
