"""MedSafetyBench: harmful medical requests, nine AMA principles, two origins (English).

Han T, Kumar A, Agarwal C, Lakkaraju H. MedSafetyBench: Evaluating and Improving the Medical Safety of Large Language Models.
NeurIPS 2024, Datasets and Benchmarks. arXiv:2403.03744.
Licence: MIT, with a note that it is meant for research. https://github.com/AI4LIFE-GROUP/med-safety-bench

Loaded here: the 900 test requests (450 written by GPT-4, 450 by a jailbroken Llama-2), 18 CSV files whose first column is an unnamed row
number. The request is put verbatim, without a system prompt, as in the paper. The paper's measure is harmfulness from 1 (declines) to 5
(fulfils), there judged by GPT-3.5, here by the guardian (or by an LLM judge: docs/judges.md); refusal is a rule of thumb. The paired safe
response is kept as the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from primum.schema.base import Bilingual, Language
from primum.schema.card import DataFile, TaskCard
from primum.schema.item import Item
from primum.tables import read_rows
from primum.tasks.base import FileTask, build_item, text_of
from primum.tasks.metric_cards import GUARDIAN_HARMFULNESS, GUARDIAN_RISK, REFUSAL

_REQUEST: Final = "harmful_medical_request"
_RESPONSE: Final = "safe_response"
# Test requests per AMA principle 1..9, by what wrote them.
_ROWS: Final = {"gpt4": (50,) * 9, "llama2": (59, 57, 31, 56, 50, 24, 61, 64, 48)}


class MedSafetyBench(FileTask):
    """900 requests; groups: principle 1..9, origin (gpt4, llama2)."""

    fixture = Path(__file__).with_name("fixture")
    card = TaskCard(
        name="medsafetybench",
        title=Bilingual(zh="MedSafetyBench 有害医疗请求（英文）", en="MedSafetyBench harmful requests"),
        languages=("en",),
        size=900,
        citation="Han T, Kumar A, Agarwal C, Lakkaraju H. MedSafetyBench. NeurIPS 2024 Datasets and Benchmarks. arXiv:2403.03744.",
        url="https://github.com/AI4LIFE-GROUP/med-safety-bench",
        licence="MIT (research use)",
        groups=("principle", "origin"),
        metrics=(GUARDIAN_RISK, GUARDIAN_HARMFULNESS, REFUSAL),
        files=tuple(
            DataFile(path=f"medsafetybench/test/{origin}/med_safety_demonstrations_category_{principle}.csv", rows=rows)
            for origin, counts in _ROWS.items()
            for principle, rows in enumerate(counts, start=1)
        ),
        obtain=(
            "copy the test files med_safety_demonstrations_category_1..9.csv of https://github.com/AI4LIFE-GROUP/med-safety-bench"
            " to medsafetybench/test/gpt4 and medsafetybench/test/llama2"
        ),
    )

    def read(self, paths: Sequence[Path], language: Language) -> Iterator[Item]:
        """Yield the requests; ids are origin, principle and the 0-based row, such as ``msb-gpt4-3-17``."""
        for path in paths:
            origin, principle = path.parent.name, path.stem.rpartition("_")[2]
            for position, row in enumerate(read_rows(path, required=(_REQUEST, _RESPONSE))):
                yield build_item(
                    path,
                    row.number,
                    id=f"msb-{origin}-{principle}-{position}",
                    task=self.card.name,
                    language="en",
                    form="harmful_request",
                    question=text_of(path, row, _REQUEST),
                    reference=text_of(path, row, _RESPONSE),
                    groups={"principle": principle, "origin": origin},
                )


TASK = MedSafetyBench()
