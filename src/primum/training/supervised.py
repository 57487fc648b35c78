"""Supervised fine-tuning on demonstrations: LoRA, loss on the answer and its end token only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from primum.engines.local_loading import BaseModel
from primum.errors import DataFormatError
from primum.schema.training import Demonstration, TrainingOutcome, TrainingRecipe
from primum.training.folder import Identity, adapter_digest, recipe_digest, rows_digest
from primum.training.packing import lay_end_to_end, lay_side_by_side, packed_parts, padded_parts
from primum.training.progress import TrainingProgress
from primum.training.rows import Row
from primum.training.session import Job, Schedule, run
from primum.training.trainable import Trainable

LEAST_ROWS = 2


def train_supervised(
    base: BaseModel,
    demonstrations: Sequence[Demonstration],
    out: Path,
    *,
    recipe: TrainingRecipe,
    validation: Sequence[Demonstration] = (),
    start: Path | None = None,
    progress: TrainingProgress | None = None,
) -> TrainingOutcome:
    """Train an adapter on demonstrations; ``out`` gets ``adapter/``, ``recipe.json`` and ``outcome.json``.

    The same call goes on where a killed one stopped, and returns a finished outcome at once.

    Args:
        base: From ``find_base`` or ``find_embedded``.
        demonstrations: What to learn.
        out: This training's own folder.
        recipe: How.
        validation: Demonstrations whose loss is measured after training, and on which nothing is learnt.
        start: An adapter of the same base and shape to go on from.
        progress: Where news goes.

    Raises:
        DataFormatError: Too few demonstrations, or one that cannot be trained on; names its id.
        UsageError: No chat template, a device that cannot do it, an adapter for another base or of another shape.
        IntegrityError: ``out`` holds another training.
        EnvironmentFault: Out of memory with one demonstration a pass.
        TrainingDivergedError: An undefined loss; the adapter is the last good checkpoint's.
    """
    if len(demonstrations) < LEAST_ROWS:
        raise DataFormatError(f"{len(demonstrations)} demonstrations to learn from; at least {LEAST_ROWS} are needed", remedy="add demonstrations")
    identity = Identity(
        kind="sft",
        base_sha256=base.fingerprint,
        start_sha256=adapter_digest(start),
        data_sha256=rows_digest(demonstrations),
        validation_sha256=rows_digest(validation),
        recipe_sha256=recipe_digest(recipe),
    )
    return run(
        Job(
            base=base,
            out=out,
            identity=identity,
            recipe=recipe,
            lora=recipe.lora,
            start=start,
            max_tokens=recipe.max_tokens,
            micro_tokens=recipe.micro_tokens,
            encode=lambda encoder: (encoder.demonstrations(demonstrations), encoder.demonstrations(validation)),
            build=partial(_trainer, packing=recipe.packing),
            progress=progress or TrainingProgress(),
            title="supervised fine-tuning",
        )
    )


def _trainer(opened: Trainable, schedule: Schedule, rows: Sequence[Row], *, packing: bool) -> Any:
    import trl
    from datasets import Dataset
    from transformers import PrinterCallback

    from primum.training.answer_head import score_answers_only
    from primum.training.segment_attention import use_segments
    from primum.training.trainers import DemonstrationTrainer, Layout, StepRows

    trainer = DemonstrationTrainer(
        model=opened.model,
        args=trl.SFTConfig(**schedule.arguments, dataset_kwargs={"skip_prepare_dataset": True}),
        train_dataset=Dataset.from_dict({"row": list(range(len(rows)))}),
        processing_class=opened.tokenizer,
        data_collator=lambda picked: {"rows": StepRows([rows[one["row"]] for one in picked])},
    )
    trainer.remove_callback(PrinterCallback)
    sharing = packing and opened.device == "cpu" and use_segments(opened.model.get_base_model())
    if opened.device == "cpu" and not trainer.aux_loss_enabled:
        score_answers_only(opened.model.get_base_model())
    pad = opened.tokenizer.pad_token_id
    trainer.layout = Layout(
        plan=partial(packed_parts, sharing=sharing) if packing else padded_parts,
        lay_out=partial(lay_end_to_end, sharing=sharing) if packing else partial(lay_side_by_side, pad=0 if pad is None else pad),
        units=lambda part: sum(len(row.answer) for row in part),
        per_token=True,
    )
    return trainer
