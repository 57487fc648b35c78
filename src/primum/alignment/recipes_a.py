"""arXiv 2505.07205: accuracy against a best-practice key over 20 dimensions, before and after fine-tuning, on held-out items.

Bian M, Zhang R, Ding C, Peng X, Xu J. Submitted 2025-05-12. 10,000 items to train on and 2,000 held out, of 11 ethics and 9 safety dimensions. The
paper keeps items apart, not norms: held-out items of norms that training saw are what stands beside its figures here, and unseen norms stand below.
"""

from __future__ import annotations

from typing import Final

from primum.alignment.recipe import PaperRecipe
from primum.schema.response import Sampling
from primum.schema.spec import ProtocolTask

_LETTERS: Final = Sampling(max_tokens=32)

RECIPE: Final = PaperRecipe(
    paper="a",
    tasks=(
        ProtocolTask(task="primum-choice:seen-norm", sampling=_LETTERS),
        ProtocolTask(task="primum-choice:test", sampling=_LETTERS),
    ),
    arms=("base", "sft"),
    shares={"choice": 1.0},
    demos=900,
    groups={"primum-choice:seen-norm": "dimension", "primum-choice:test": "dimension"},
)
