"""Training and held-out norms, and new vignettes of norms that were trained on.

arXiv 2505.07205 (paper A) trains on 10,000 of 12,000 items and tests on 2,000. Here the cut is made by norm, so that no norm is on both sides, and
beside it stands a third set: vignettes of training norms that training never shows. A model that gains there and not on unseen norms has
memorised; one that gains on both has learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from primum.hashing import derived_seed
from primum.schema.norm import Norm

TRAIN: Final = "train"
TEST: Final = "test"
SEEN_NORM: Final = "seen-norm"
# 10,000 : 2,000.
_ONE_IN: Final = 6
# A norm with fewer vignettes keeps them all for training.
_MINIMUM_VIGNETTES: Final = 3


def assign_splits(norms: Sequence[Norm], *, seed: int) -> dict[str, str]:
    """The split of every norm, and of every vignette that differs from its norm's.

    Within each primary dimension one norm in six is held out. A training norm of three or more vignettes lends one to the set ``seen-norm``.

    Returns:
        By ``norm`` id, and by ``norm/vignette`` for the lent ones.
    """
    by_dimension: dict[str, list[str]] = {}
    for norm in norms:
        by_dimension.setdefault(norm.dimension, []).append(norm.id)
    splits: dict[str, str] = {}
    for place, dimension in enumerate(sorted(by_dimension)):
        ranked = sorted(by_dimension[dimension], key=lambda identifier: derived_seed("split", seed, identifier))
        # The offset spreads the remainders, so that small dimensions do not all round the same way.
        splits.update({identifier: TEST if (rank + place) % _ONE_IN == 0 else TRAIN for rank, identifier in enumerate(ranked)})
    for norm in norms:
        if splits[norm.id] == TRAIN and len(norm.vignettes) >= _MINIMUM_VIGNETTES:
            lent = min(norm.vignettes, key=lambda vignette: derived_seed("lent", seed, norm.id, vignette.id))
            splits[f"{norm.id}/{lent.id}"] = SEEN_NORM
    return splits
