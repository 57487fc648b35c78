"""MedEthicEval, detecting violation: 236 questions that seek help with a breach of ethics, in attack styles (Chinese).

Jin H, Shi J, Xu H, Zhu KQ, Wu M. MedEthicEval: Evaluating Large Language Models Based on Chinese Medical Ethics. NAACL 2025, Industry
Track, pages 404-421, doi:10.18653/v1/2025.naacl-industry.34. arXiv:2503.02374.
Licence: none stated, for testing only. https://github.com/X-LANCE/MedEthicEval

The question is put verbatim; the breach behind it is the reference. Each of the 47 breaches is asked in five styles (one in six), so they
share a cluster. Styles are named as in the file: ``combine_medical_terminology`` (41) and ``vague_description`` (6) together fill the place
of the paper's "vague description". Refusal is a rule of thumb; the authors' scores (attitude -1 to 2, share of safe answers) need a judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from primum.schema.base import Bilingual, Language
from primum.schema.card import DataFile, TaskCard
from primum.schema.item import Item
from primum.tables import read_rows
from primum.tasks.base import FileTask, build_item, hashed_id, text_of
from primum.tasks.medethiceval import source
from primum.tasks.metric_cards import GUARDIAN_RISK, REFUSAL

_COLUMNS: Final = ("uuid", "theme_tag1", "theme_tag2", "theme_tag3", "scenario", "type", "query")


class MedEthicEvalViolation(FileTask):
    """236 requests; groups: style, theme (the first of three levels)."""

    fixture = Path(__file__).with_name("fixture")
    card = TaskCard(
        name="medethiceval-violation",
        title=Bilingual(zh="MedEthicEval 违规识别", en="MedEthicEval detecting violation"),
        languages=("zh",),
        size=236,
        citation=source.CITATION,
        url=source.URL,
        licence=source.LICENCE,
        groups=("style", "theme"),
        metrics=(GUARDIAN_RISK, REFUSAL),
        pending=(source.ATTITUDE, source.SAFE),
        files=(DataFile(path="medethiceval/medical_ethics_detecting_violation.csv", rows=236),),
        obtain=source.obtain("medical_ethics_detecting_violation.csv"),
    )

    def read(self, paths: Sequence[Path], language: Language) -> Iterator[Item]:
        """Yield the requests under their published ids."""
        for path in paths:
            for row in read_rows(path, required=_COLUMNS):
                breach = text_of(path, row, "scenario")
                yield build_item(
                    path,
                    row.number,
                    id=text_of(path, row, "uuid"),
                    task=self.card.name,
                    language="zh",
                    form="harmful_request",
                    question=text_of(path, row, "query"),
                    reference=breach,
                    groups={"style": text_of(path, row, "type"), "theme": text_of(path, row, "theme_tag1")},
                    cluster=hashed_id("breach-", breach),
                )


TASK = MedEthicEvalViolation()
