"""What all forms share in one build: the seed, which wrong options are shown, and what is known of the sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from primum.schema.norm import Norm, Source, Vignette


@dataclass(frozen=True, slots=True)
class BuildContext:
    """One build.

    Attributes:
        norms: The norms, in file order.
        sources: By id.
        seed: Decides option order and the choice of distractors.
        shown: For ``norm/vignette``, the numbers of the wrong options that are shown (see :mod:`primum.bank.distractors`).
        withheld: Ids of items to leave out.
        splits: For ``norm`` and ``norm/vignette``, the split; see :mod:`primum.bank.splits`. Empty where no split was made.
    """

    norms: Sequence[Norm]
    sources: Mapping[str, Source]
    seed: int
    shown: Mapping[str, tuple[int, ...]]
    splits: Mapping[str, str]
    withheld: frozenset[str] = frozenset()

    def wrong_of(self, norm: Norm, vignette: Vignette) -> list[int]:
        """Numbers of the wrong options shown for a vignette."""
        return list(self.shown.get(f"{norm.id}/{vignette.id}", range(len(vignette.wrong))))
