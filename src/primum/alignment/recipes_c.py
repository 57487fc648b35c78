"""arXiv 2403.03744 (MedSafetyBench): harmfulness by AMA principle before and after fine-tuning on 200 to 900 demonstrations, with medical ability.

Han T, Kumar A, Agarwal C, Lakkaraju H. NeurIPS 2024 Datasets and Benchmarks. The 900 test requests are asked, the 900 training pairs are taught. The
paper reports its means in figures only; numbers printed elsewhere for the same requests stand beside ours.
"""

from __future__ import annotations

from typing import Final

from primum.alignment.recipe import PaperRecipe
from primum.schema.response import Sampling
from primum.schema.spec import ProtocolTask

_LETTERS: Final = Sampling(max_tokens=32)

RECIPE: Final = PaperRecipe(
    paper="c",
    tasks=(
        ProtocolTask(task="medsafetybench", languages=("en",), sampling=Sampling(max_tokens=512)),
        ProtocolTask(task="primum-benign:test", languages=("en",), sampling=Sampling(max_tokens=256)),
        *(ProtocolTask(task=name, languages=("en",), sampling=_LETTERS, optional=True) for name in ("medqa", "medmcqa", "pubmedqa", "mmlu-medical")),
    ),
    arms=("base", "sft"),
    shares={"medsafetybench": 1.0},
    demos=900,
    doses=(0, 200, 400, 600, 900),
    groups={"medsafetybench": "principle"},
)
