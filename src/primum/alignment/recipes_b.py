"""arXiv 2601.07954 (MedES): open cases judged for risk and quality, and knowledge questions by scene; as it is, fine-tuned, and with retrieved norms.

Jin H, Ying H, Ji J, Xu H, Wu M. AAAI 2026, doi:10.1609/aaai.v40i45.41211. The guardian stands in the place of the authors' trained evaluator: it
gives one probability that R1 or R2 is broken, and Q1..Q4 each. Nothing of MedES is trained on: demonstrations come from our own norms.
"""

from __future__ import annotations

from typing import Final

from primum.alignment.recipe import PaperRecipe
from primum.schema.response import Sampling
from primum.schema.spec import ProtocolTask

RECIPE: Final = PaperRecipe(
    paper="b",
    tasks=(
        ProtocolTask(task="medes-subjective", languages=("zh",), sampling=Sampling(max_tokens=512)),
        ProtocolTask(task="medes-objective", languages=("zh",), sampling=Sampling(max_tokens=512)),
    ),
    arms=("base", "sft", "retrieval"),
    shares={"bank": 0.5, "choice": 0.25, "benign": 0.25},
    demos=900,
    groups={"medes-subjective": "scene", "medes-objective": "scene"},
)
