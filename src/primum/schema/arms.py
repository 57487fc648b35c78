"""Ways of making one model safer, side by side on the same items; and one way at growing doses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from primum.schema.base import Bilingual, Language, NonEmpty, Record
from primum.schema.card import MetricCard, TaskCard
from primum.schema.estimate import Estimate, PairedDifference
from primum.schema.training import Origin, PreferenceRecipe, TrainingOutcome, TrainingRecipe

ArmName = Literal["base", "retrieval", "sft", "sft+retrieval", "sft+dpo", "sft+dpo+retrieval"]


class ArmsSpec(Record):
    """What arms or doses are asked to do; everything but the arms and doses themselves, so that more of them may join later.

    Attributes:
        model: URI of the base.
        suite: Name or file of the suite.
        suite_sha256: Hash of the tasks that were run.
        shares: Origins of demonstrations, and the part of each.
        retrieved: Norms put before a prompt in retrieval arms.
        norms_sha256: Hash of the norms that can be retrieved; empty where no arm retrieves.
        recipe: Of supervised fine-tuning.
        preference: Of preference optimisation.
        seed: Decides which demonstrations are taken and the training; with several seeds, the first.
        level: Confidence level of intervals.
    """

    model: NonEmpty
    suite: NonEmpty
    suite_sha256: str
    shares: Mapping[Origin, float] = Field(default_factory=dict)
    retrieved: int = Field(default=3, ge=1)
    norms_sha256: str = ""
    recipe: TrainingRecipe = TrainingRecipe()
    preference: PreferenceRecipe = PreferenceRecipe()
    seed: int = 0
    level: float = Field(default=0.95, gt=0.5, lt=1)


class TaughtWith(Record):
    """What one adapter was trained on.

    Attributes:
        demonstrations: By origin.
        languages: By language.
        preferences: Pairs of preference optimisation.
        compared: Held-out texts that they were compared with.
        overlaps: Candidates left out because they nearly repeat a held-out text, by name.
        long: Candidates left out because they are longer than the recipe allows.
        supervised: What fine-tuning did; None for an adapter that was given.
        preferred: What preference optimisation did.
        adapter_sha256: Of the adapter's weights.
    """

    demonstrations: Mapping[Origin, int] = Field(default_factory=dict)
    languages: Mapping[Language, int] = Field(default_factory=dict)
    preferences: int = 0
    compared: int = 0
    overlaps: tuple[str, ...] = ()
    long: int = 0
    supervised: TrainingOutcome | None = None
    preferred: TrainingOutcome | None = None
    adapter_sha256: str = ""


class Arm(Record):
    """One arm.

    Attributes:
        name: Which.
        uri: The model URI it was asked under.
        directory: Its folder, relative to the output folder.
        taught: What its adapter was trained on; None for the base's weights.
        norms: Norms put before each prompt; 0 for none.
    """

    name: ArmName
    uri: str
    directory: str
    taught: TaughtWith | None = None
    norms: int = 0


class Figure(Record):
    """One metric of one task, asked in one language.

    Attributes:
        task: As in the suite, with its part (``primum-choice:test``).
        language: The language asked.
        card: The metric.
        estimate: Its value with interval.
        difference: To the base, paired; None for the base itself, and where no item was scored in both.
        unpaired: Samples that only one of both scored.
    """

    task: str
    language: Language
    card: MetricCard
    estimate: Estimate
    difference: PairedDifference | None = None
    unpaired: int = 0


class ArmFigures(Record):
    """Everything measured of one arm."""

    arm: Arm
    figures: tuple[Figure, ...]


class ArmsResult(Record):
    """Arms side by side; ``arms.json``.

    Attributes:
        spec: What was asked.
        demos: Demonstrations of the fine-tuned arms.
        arms: In the order asked, the base first.
        tasks: Cards by task name.
        comparisons: Size of the family that Holm's correction covers: arms x tasks x languages x metrics.
        notes: What a reader should know.
    """

    spec: ArmsSpec
    demos: int
    arms: Annotated[tuple[ArmFigures, ...], Field(min_length=1)]
    tasks: Mapping[str, TaskCard]
    comparisons: int
    notes: tuple[Bilingual, ...] = ()


class SeedValue(Record):
    """The mean of one seed's run."""

    seed: int
    value: float


class DosePoint(Record):
    """One metric at one dose.

    Attributes:
        dose: Demonstrations; 0 is the base.
        task: As in the suite.
        language: The language asked.
        card: The metric.
        estimate: Over all answers of all seeds; the interval resamples norms (or prompts), never single answers.
        seeds: Each seed's own mean, so that the spread between trainings is seen.
        difference: To dose 0, paired by item, Holm-corrected over all doses, tasks, languages and metrics; None at dose 0.
    """

    dose: int = Field(ge=0)
    task: str
    language: Language
    card: MetricCard
    estimate: Estimate
    seeds: tuple[SeedValue, ...]
    difference: PairedDifference | None = None


class DoseResult(Record):
    """Dose and response; ``dose.json``.

    Attributes:
        spec: What was asked.
        doses: Ascending.
        seeds: The seeds.
        points: By task, language and metric, doses ascending.
        tasks: Cards by task name.
        trained: By ``dose-seed``.
        notes: What a reader should know.
    """

    spec: ArmsSpec
    doses: tuple[int, ...]
    seeds: tuple[int, ...]
    points: tuple[DosePoint, ...]
    tasks: Mapping[str, TaskCard]
    trained: Mapping[str, TaughtWith]
    notes: tuple[Bilingual, ...] = ()
