"""What every item of ours says of its origin."""

from __future__ import annotations

from primum.bank.forms.context import BuildContext
from primum.schema.base import Language
from primum.schema.norm import Norm
from primum.schema.taxonomy import SCENES

TASK_CHOICE = "primum-choice"
TASK_JUDGEMENT = "primum-judgement"
TASK_DILEMMA = "primum-dilemma"
TASK_REQUESTS = "primum-requests"
TASK_BENIGN = "primum-benign"


def groups_of(context: BuildContext, norm: Norm, form: str, language: Language, *, vignette: str = "") -> dict[str, str]:
    """Groups by which results are broken down; the first of several dimensions, scenes and principles is the primary one."""
    source = context.sources.get(norm.source)
    groups = {
        "dimension": norm.dimension,
        "form": form,
        "scene": SCENES[norm.scenes[0]].in_language(language),
        "source": norm.source,
        "severity": norm.severity,
    }
    if norm.principles:
        groups["principle"] = str(norm.principles[0])
    if source is not None:
        groups["jurisdiction"] = source.jurisdiction
    split = context.splits.get(f"{norm.id}/{vignette}" if vignette else norm.id) or context.splits.get(norm.id)
    if split:
        groups["split"] = split
    return groups
