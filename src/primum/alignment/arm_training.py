"""The adapters behind arms and doses: each trained once, in a folder of its own, or given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from primum.alignment.arms_material import Material
from primum.alignment.measuring import Engines
from primum.alignment.records import write_records
from primum.alignment.training_port import ADAPTER, Trainer
from primum.errors import UsageError
from primum.hashing import sha256_file
from primum.runs import layout
from primum.schema.arms import TaughtWith
from primum.schema.training import Demonstration, PreferenceRecipe, TrainingOutcome, TrainingRecipe

_WEIGHTS: Final = "adapter_model.safetensors"
_CONFIG: Final = "adapter_config.json"
# As in the loop of primum align: half as many pairs as demonstrations.
_PAIRS: Final = 2


@dataclass(frozen=True)
class Trained:
    """One adapter.

    Attributes:
        name: Names its folders.
        uri: Under which it opens with its base.
        adapter: Its folder.
        taught: What it was trained on.
    """

    name: str
    uri: str
    adapter: Path
    taught: TaughtWith


@dataclass
class Teacher:
    """Trains adapters, each once.

    Attributes:
        trainer: Trains.
        material: What can be taught.
        recipe: Of supervised fine-tuning.
        preference: Of preference optimisation.
        folder: Where trainings go.
        given: Adapters that were made elsewhere, by arm (``sft``, ``sft+dpo``).
        note: Told what a user should know.
    """

    trainer: Trainer
    material: Material
    recipe: TrainingRecipe
    preference: PreferenceRecipe
    folder: Path
    given: Mapping[str, Path] = field(default_factory=dict)
    note: Callable[[str], None] = lambda text: None
    _done: dict[tuple[str, int, int], Trained] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse given adapters that cannot be right before anything is asked; raises as :func:`check_given`."""
        for adapter in self.given.values():
            check_given(adapter, self.trainer.fingerprint)

    async def trained(self, name: str, demos: int, *, seed: int, engines: Engines) -> Trained:
        """The adapter of an arm: the given one, or one trained now or before.

        Args:
            name: ``sft`` or ``sft+dpo``.
            demos: Demonstrations of supervised fine-tuning.
            seed: Decides which, and the training.
            engines: Closed before a training, which needs their memory.

        Raises:
            UsageError: Fewer demonstrations or pairs than needed, or a given adapter that was made for another base.
            TrainingDivergedError: A loss became infinite.
            IntegrityError: The folder holds another training.
        """
        key = (name, demos, seed)
        if key not in self._done:
            if name in self.given:
                self._done[key] = self._given(name)
            else:
                await engines.close()
                self._done[key] = self._supervised(demos, seed) if name == "sft" else await self._preferred(demos, seed, engines)
        return self._done[key]

    def _supervised(self, demos: int, seed: int) -> Trained:
        rows = self.material.take(demos, seed=seed)
        if not rows:
            raise UsageError("fine-tuning on 0 demonstrations is none", remedy="give --demos 1 or more")
        out = self.folder / f"sft-{demos}-seed-{seed}"
        out.mkdir(parents=True, exist_ok=True)
        write_records(out / "data.jsonl", rows)
        self.note(f"sft: {len(rows)} demonstrations, seed {seed}")
        recipe = self.recipe.model_copy(update={"seed": seed})
        outcome = self.trainer.supervise(rows, out, recipe=recipe, validation=(), start=None)
        return self._made(out, self._facts(rows, outcome))

    async def _preferred(self, demos: int, seed: int, engines: Engines) -> Trained:
        start = await self.trained("sft", demos, seed=seed, engines=engines)
        rows = self.material.preferences(max(_PAIRS, demos // _PAIRS), seed=seed)
        if len(rows) < _PAIRS:
            raise UsageError("there are no pairs to optimise preferences on", remedy="leave out the sft+dpo arms, or allow longer texts")
        out = self.folder / f"dpo-{demos}-seed-{seed}"
        out.mkdir(parents=True, exist_ok=True)
        write_records(out / "data.jsonl", rows)
        self.note(f"dpo: {len(rows)} pairs, seed {seed}")
        recipe = self.preference.model_copy(update={"seed": seed})
        outcome = self.trainer.prefer(rows, out, recipe=recipe, start=start.adapter)
        return self._made(out, start.taught.model_copy(update={"preferences": len(rows), "preferred": outcome}))

    def _made(self, out: Path, taught: TaughtWith) -> Trained:
        adapter = out / ADAPTER
        weights = adapter / _WEIGHTS
        facts = taught.model_copy(update={"adapter_sha256": sha256_file(weights) if weights.is_file() else ""})
        return Trained(name=out.name, uri=self.trainer.adapted_uri(adapter), adapter=adapter, taught=facts)

    def _facts(self, rows: tuple[Demonstration, ...], outcome: TrainingOutcome) -> TaughtWith:
        return TaughtWith(
            demonstrations=dict(sorted(Counter(row.origin for row in rows).items())),
            languages=dict(sorted(Counter(row.language for row in rows).items())),
            compared=self.material.compared,
            overlaps=tuple(f"{row} ~ {text}" for row, text in sorted(self.material.overlaps.items())),
            long=len(self.material.long),
            supervised=outcome,
        )

    def _given(self, name: str) -> Trained:
        adapter = self.given[name]
        check_given(adapter, self.trainer.fingerprint)
        digest = sha256_file(adapter / _WEIGHTS)
        # The hash names the folder of its runs: another adapter at the same place is another arm.
        return Trained(
            name=f"{name}-given-{digest[:8]}", uri=self.trainer.adapted_uri(adapter), adapter=adapter, taught=TaughtWith(adapter_sha256=digest)
        )


def check_given(adapter: Path, base_sha256: str) -> None:
    """Refuse a folder that is no adapter, or one whose training recorded another base. What the weights' shapes say is checked on opening.

    Raises:
        UsageError: It is not an adapter, or was made for another base.
    """
    for name in (_CONFIG, _WEIGHTS):
        if not (adapter / name).is_file():
            raise UsageError(f"{adapter}: not an adapter folder (no {name})", remedy="give the folder that holds adapter_config.json")
    outcome = adapter.parent / "outcome.json"
    if outcome.is_file():
        recorded = layout.read_json(outcome).get("base_sha256", "")
        if recorded and recorded != base_sha256:
            raise UsageError(
                f"{adapter}: made for a base with weights {recorded[:12]}, not for this one ({base_sha256[:12]})",
                remedy="give --model the base that the adapter was trained on",
            )
