"""The seam to training: what the loop asks of a trainer, and the trainer that asks :mod:`primum.training`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from primum.config import Settings
from primum.errors import UsageError
from primum.evaluation.pipeline import Progress
from primum.schema.item import Message
from primum.schema.training import Demonstration, Preference, PreferenceRecipe, TrainingOutcome, TrainingRecipe

if TYPE_CHECKING:
    from primum.engines.local_loading import BaseModel
    from primum.training.progress import TrainingProgress

ADAPTER = "adapter"


class Trainer(Protocol):
    """Trains adapters for one base.

    ``out/adapter`` holds the adapter when a training returns; a training interrupted at any point goes on when called again with the same
    arguments, and one that is finished returns its outcome at once.
    """

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the base's weights."""
        ...

    def count_tokens(self, conversations: Sequence[tuple[Sequence[Message], str]]) -> list[int]:
        """Tokens of each conversation with its answer."""
        ...

    def supervise(
        self, rows: Sequence[Demonstration], out: Path, *, recipe: TrainingRecipe, validation: Sequence[Demonstration], start: Path | None
    ) -> TrainingOutcome:
        """Supervised fine-tuning from the base, or from the adapter ``start``."""
        ...

    def prefer(self, rows: Sequence[Preference], out: Path, *, recipe: PreferenceRecipe, start: Path) -> TrainingOutcome:
        """Preference optimisation from the adapter ``start``."""
        ...

    def search(self, rows: Sequence[Demonstration], out: Path, *, grid: Sequence[TrainingRecipe]) -> TrainingRecipe:
        """The recipe of the lowest validation loss; validation rows are part of ``rows``, by norm."""
        ...

    def adapted_uri(self, adapter: Path) -> str:
        """The URI under which base and adapter open together."""
        ...


@dataclass(frozen=True)
class LocalTrainer:
    """Trains with :mod:`primum.training` on this machine.

    Attributes:
        uri: Model URI of the base, ``embedded`` or ``hf:...``, without adapter.
        settings: Where models are.
        progress_for: Makes the display of one training, from its title.
    """

    uri: str
    settings: Settings
    progress_for: Callable[[str], Progress] = lambda title: Progress()

    @cached_property
    def base(self) -> BaseModel:
        """The base's folder and fingerprint.

        Raises:
            UsageError: The URI is no local model, or names an adapter already.
        """
        from primum.engines.local_loading import find_base, find_embedded
        from primum.engines.local_options import parse_local

        scheme, _, rest = self.uri.partition(":")
        if scheme not in {"embedded", "hf"}:
            raise UsageError(
                f"model {scheme!r} cannot be trained: its weights are not on this machine",
                remedy="give --model embedded or hf:PATH_OR_ID; a server may sample the answers: --engine URI",
            )
        target, adapter, _ = parse_local(rest, scheme=scheme)
        if adapter:
            raise UsageError("the model to align has an adapter already", remedy="merge it first (docs/training.md) and give the merged folder")
        return find_embedded(self.settings) if scheme == "embedded" else find_base(target, self.settings)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the base's weights."""
        return self.base.fingerprint

    @cached_property
    def _tokenizer(self) -> Any:
        from primum.engines.local_extra import import_extra

        return import_extra("transformers").AutoTokenizer.from_pretrained(self.base.folder, local_files_only=True, trust_remote_code=False)

    def count_tokens(self, conversations: Sequence[tuple[Sequence[Message], str]]) -> list[int]:
        """Tokens of each conversation with its answer, rendered as the engine renders it, and the token that ends it."""
        from primum.engines.chat_templates import choose_style, render

        tokenizer = self._tokenizer
        style = choose_style("auto", tokenizer)
        texts = [render(tuple(messages), tokenizer, style).text + answer for messages, answer in conversations]
        return [len(ids) + 1 for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []

    def supervise(
        self, rows: Sequence[Demonstration], out: Path, *, recipe: TrainingRecipe, validation: Sequence[Demonstration], start: Path | None
    ) -> TrainingOutcome:
        """Supervised fine-tuning; raises as :func:`primum.training.supervised.train_supervised`."""
        from primum.training.supervised import train_supervised

        return train_supervised(self.base, rows, out, recipe=recipe, validation=validation, start=start, progress=self._progress())

    def prefer(self, rows: Sequence[Preference], out: Path, *, recipe: PreferenceRecipe, start: Path) -> TrainingOutcome:
        """Preference optimisation; raises as :func:`primum.training.preference.train_preferences`."""
        from primum.training.preference import train_preferences

        return train_preferences(self.base, rows, out, recipe=recipe, start=start, progress=self._progress())

    def search(self, rows: Sequence[Demonstration], out: Path, *, grid: Sequence[TrainingRecipe]) -> TrainingRecipe:
        """The recipe of the lowest loss on validation demonstrations; raises as :func:`primum.training.search.search_recipe`."""
        from primum.training.search import search_recipe

        best, tried = search_recipe(self.base, rows, out, grid=grid, progress=self._progress())
        note = self.progress_for("search").note
        for recipe, loss in tried:
            note(f"search: rate {recipe.rate:g}, {recipe.epochs:g} epochs, rank {recipe.lora.rank}: validation loss {loss:.4f}")
        return best

    def adapted_uri(self, adapter: Path) -> str:
        """``embedded:+ADAPTER``, or ``hf:BASE+ADAPTER``; options stay."""
        scheme, _, rest = self.uri.partition(":")
        target, mark, options = rest.partition("?")
        return f"{scheme}:{target}+{adapter}{mark}{options}"

    def _progress(self) -> TrainingProgress:
        from primum.training.progress import TrainingProgress

        shown = self.progress_for("training")

        def begin(title: str, steps: int, done: int) -> None:
            shown.note(title)
            shown.begin(steps, done)

        return TrainingProgress(begin=begin, advance=lambda step, loss: shown.advance(False), note=shown.note)
