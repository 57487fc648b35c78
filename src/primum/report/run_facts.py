"""What a run's ``summary.json`` and ``spec.json`` say, read strictly enough to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from primum.errors import DataFormatError
from primum.schema.estimate import Estimate
from primum.schema.provenance import EngineIdentity, Environment
from primum.schema.spec import RunSpec

M = TypeVar("M", bound=BaseModel)


class Facts(BaseModel):
    """A frozen record that leaves unknown keys alone: a later version of Primum may have added some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PositionFacts(Facts):
    """The position-bias part of a summary; see ``primum.stats.chance.PositionBias``."""

    letters: tuple[str, ...]
    predicted: tuple[int, ...]
    gold: tuple[int, ...]
    n: int
    homogeneity_p: float | None = None
    recalls: tuple[Estimate, ...] = ()
    rstd: Estimate


class ChoiceFacts(Facts):
    """What lies behind an accuracy; all None for tasks without choices."""

    chance: float | None = None
    chance_corrected: Estimate | None = None
    position_bias: PositionFacts | None = None


class UsageFacts(Facts):
    """Tokens, cost and faults of a run."""

    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None = None
    cached: int
    faults: int


class AgreementFacts(Facts):
    """How far a panel agrees on a metric."""

    alpha: Estimate
    kappa: Estimate | None = None


class JudgingFacts(Facts):
    """One scoring by judges: what stands behind the figures of its metrics."""

    rubric: str
    version: str
    prompt_sha256: str
    judges: tuple[str, ...]
    metrics: tuple[str, ...]
    agreement: dict[str, AgreementFacts] = {}
    people: dict[str, AgreementFacts] = {}


class SummaryFacts(Facts):
    """A run's ``summary.json``."""

    task: str
    language: str
    model: str
    items: int
    samples: int
    estimates: tuple[Estimate, ...]
    choice: ChoiceFacts = ChoiceFacts()
    pending: tuple[str, ...] = ()
    heuristic: tuple[str, ...] = ()
    judges: tuple[JudgingFacts, ...] = ()
    usage: UsageFacts
    prompts_sha256: str


class DocumentFacts(Facts):
    """A run's ``spec.json``."""

    spec: RunSpec
    engine: EngineIdentity
    language: str
    data_sha256: dict[str, str]
    environment: Environment


def read_summary(summary: Mapping[str, Any]) -> SummaryFacts:
    """Check a run's summary.

    Raises:
        DataFormatError: It does not fit; names the keys, never their content.
    """
    return _read(summary, SummaryFacts, "summary.json")


def read_document(document: Mapping[str, Any]) -> DocumentFacts:
    """Check a run's specification.

    Raises:
        DataFormatError: It does not fit; names the keys, never their content.
    """
    return _read(document, DocumentFacts, "spec.json")


def _read(value: Mapping[str, Any], model: type[M], file: str) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = sorted({".".join(str(part) for part in fault["loc"]) for fault in error.errors(include_input=False)})
        raise DataFormatError(
            f"{file}: cannot be shown; what does not fit: {', '.join(faults[:5])}", remedy="make the run again with this version of Primum"
        ) from None
