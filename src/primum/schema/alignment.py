"""What an alignment is asked to do, what each round of it holds, and what it decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from primum.schema.base import Bilingual, Language, NonEmpty, Record
from primum.schema.estimate import NonInferiority, PairedDifference
from primum.schema.guardian import Explanation
from primum.schema.item import Message
from primum.schema.norm import NormId
from primum.schema.spec import ProtocolTask
from primum.schema.training import Origin, PreferenceRecipe, TrainingRecipe

Method = Literal["sft", "sft+dpo", "sft+kto"]
Mix = Literal["medical", "general", "both"]
PromptKind = Literal["request", "benign", "case"]
FailureKind = Literal["wrong_choice", "risk", "over_refusal"]
Fate = Literal["accepted", "rejected", "unsure"]
ReviewLabel = Literal["accept", "reject", "unsure"]
ReviewReason = Literal["uncertain", "random"]


class LoopSizes(Record):
    """How large one round is; a suite brings values that fit it.

    Attributes:
        rounds: Most rounds.
        demos: Demonstrations of a round, accepted samples not counted.
        demo_tokens: Longest demonstration, prompt and answer, in the model's own tokens; longer ones are passed over and counted.
        prompts: Targeted prompts of a round, both languages together.
        samples: Answers sampled to each.
        answer_tokens: Longest sampled answer.
        temperature: Of sampling.
        review_share: Share of confident answers that people see all the same.
        shares: Parts of the demonstrations by origin, such as ``{bank: 3, choice: 5}``; empty takes the mix's own.
    """

    rounds: int = Field(default=3, ge=1)
    demos: int = Field(default=900, ge=1)
    demo_tokens: int = Field(default=768, ge=16)
    prompts: int = Field(default=200, ge=2)
    samples: int = Field(default=4, ge=1)
    answer_tokens: int = Field(default=192, ge=8)
    temperature: float = Field(default=0.8, gt=0)
    review_share: float = Field(default=0.05, ge=0, le=1)
    shares: Mapping[Origin, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)


class SuiteFile(Record):
    """A suite as YAML says it.

    Attributes:
        name: Its name.
        title: For readers.
        seed: Of item sampling and intervals.
        level: Confidence level.
        loop: Sizes of the loop that fit this suite.
        probe: Tasks on training norms that find weak dimensions.
        validation: Tasks on validation norms that choose between rounds; ability tasks here are guard rails.
        tasks: Tasks of the last measurement, before and after.
    """

    name: NonEmpty
    title: Bilingual
    seed: int = 0
    level: float = Field(default=0.95, gt=0.5, lt=1)
    loop: LoopSizes = LoopSizes()
    probe: tuple[ProtocolTask, ...] = ()
    validation: Annotated[tuple[ProtocolTask, ...], Field(min_length=1)]
    tasks: Annotated[tuple[ProtocolTask, ...], Field(min_length=1)]


class AlignmentSpec(Record):
    """Everything that decides an alignment, but for labels that people give on the way.

    Attributes:
        model: URI of the model to align; its weights must be on this machine.
        engine: URI of what samples the answers; empty is the model itself, with the adapter of the best round so far.
        method: Which trainings a round holds.
        mix: ``medical`` takes norms, look-alikes, choice items and MedSafetyBench, ``general`` everyday safety topics, ``both`` both.
        suite: Name or file of the suite.
        suite_sha256: Hash of what it held.
        sizes: How large a round is.
        recipe: Of supervised fine-tuning.
        preference: Of preference optimisation.
        search: Choose the rate and epochs on validation demonstrations in the first round.
        over_refusal_margin: Largest rise of over-refusal on validation norms.
        ability_margin: Largest fall of accuracy on an ability benchmark.
        seed: Decides prompts, sampling, composition and training.
    """

    model: NonEmpty
    engine: str = ""
    method: Method = "sft"
    mix: Mix = "both"
    suite: NonEmpty = "align-small"
    suite_sha256: str = ""
    sizes: LoopSizes = LoopSizes()
    recipe: TrainingRecipe = TrainingRecipe()
    preference: PreferenceRecipe = PreferenceRecipe()
    search: bool = False
    over_refusal_margin: float = Field(default=0.05, gt=0)
    ability_margin: float = Field(default=0.03, gt=0)
    seed: int = 0


class Weakness(Record):
    """How often a dimension fails, by what failed.

    Attributes:
        dimension: E1..E11, S1..S9.
        kind: What failed.
        failures: Failed answers.
        n: Scored answers.
        rate: Their share.
        low: Lower end of its interval.
        high: Upper end.
        weight: Share of the prompts that go to this dimension and kind; all weights sum to 1.
        norms: Training norms behind the failures.
    """

    dimension: NonEmpty
    kind: FailureKind
    failures: int = Field(ge=0)
    n: int = Field(ge=1)
    rate: float
    low: float
    high: float
    weight: float
    norms: tuple[str, ...] = ()


class TargetPrompt(Record):
    """A prompt that a round samples answers to.

    Attributes:
        id: Unique in its round.
        kind: ``request`` should be declined or redirected, ``benign`` answered, ``case`` answered within the norm.
        language: Of the prompt.
        dimension: Of the norm.
        norm: A training norm.
        messages: The conversation.
        aim: The weakness that it is aimed at.
    """

    id: NonEmpty
    kind: PromptKind
    language: Language
    dimension: NonEmpty
    norm: NormId
    messages: tuple[Message, ...]
    aim: FailureKind


class SampledAnswer(Record):
    """One sampled answer. Its text is hostile.

    Attributes:
        id: ``PROMPT~NUMBER``.
        prompt: Id of the prompt.
        text: The answer, without reasoning marks.
        finish: Why it ended.
    """

    id: NonEmpty
    prompt: NonEmpty
    text: str
    finish: str


class JudgedAnswer(Record):
    """What the guardian makes of a sampled answer.

    Attributes:
        id: The answer's id.
        explanation: Its verdict, and why.
        fault: ``empty``, ``repeats``, ``echo`` or ``language``: why the text is no answer to learn, whatever its risk; empty otherwise.
    """

    id: NonEmpty
    explanation: Explanation
    fault: str = ""


class Selected(Record):
    """What becomes of a sampled answer before people see it.

    Attributes:
        id: The answer's id.
        prompt: Its prompt's id.
        fate: ``unsure`` answers go to people and are not learnt from until then.
        why: In a word.
        score: Orders good answers to one prompt.
        review: Why people see it; empty where they do not.
    """

    id: NonEmpty
    prompt: NonEmpty
    fate: Fate
    why: NonEmpty
    score: float
    review: ReviewReason | Literal[""] = ""


class ReviewedLabel(Record):
    """What a person said of an answer; a later one by the same person replaces an earlier one, and both are kept.

    Attributes:
        id: The answer's id.
        round: The round it was sampled in.
        label: Learn it, never learn it, or cannot say.
        who: The person.
        when: Time of the import, or of the label where the sheet has it.
        note: Free text, may be empty.
    """

    id: NonEmpty
    round: int = Field(ge=1)
    label: ReviewLabel
    who: NonEmpty
    when: NonEmpty
    note: str = ""


class Composition(Record):
    """What a round trains on.

    Attributes:
        demonstrations: By origin.
        languages: By language.
        dimensions: By dimension, where there is one.
        preferences: By origin of the rejected answer.
        long: Candidates passed over because they were longer than ``demo_tokens``.
        removed: Accepted answers that people rejected.
        added: Answers that only people accepted.
        compared: Texts of ours and of outside test files that the data were compared with.
        overlaps: Candidates dropped because they nearly repeat a held-out text, by name.
        notes: What a user should know.
    """

    demonstrations: Mapping[Origin, int]
    languages: Mapping[Language, int]
    dimensions: Mapping[str, int]
    preferences: Mapping[Origin, int] = Field(default_factory=dict)
    long: int = 0
    removed: int = 0
    added: int = 0
    compared: int = 0
    overlaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class RoundDecision(Record):
    """Whether a round is better than the best before it, and whether another one follows.

    Attributes:
        round: Its number, from 1.
        gains: Paired gains on validation norms over the best before, each so that higher is better.
        gain: Their mean with its interval; what decides.
        guards: Over-refusal and ability against the base, each with its margin.
        better: The gain's interval lies above zero and no guard rail broke.
        best: The best round so far; 0 is the base.
        stop: No further round.
        why: In words.
        labels_sha256: Labels known when this was decided.
    """

    round: int = Field(ge=1)
    gains: tuple[PairedDifference, ...]
    gain: PairedDifference
    guards: tuple[NonInferiority, ...]
    better: bool
    best: int = Field(ge=0)
    stop: bool
    why: Bilingual
    labels_sha256: str = ""


class StepRecord(Record):
    """One finished step of a round.

    Attributes:
        inputs_sha256: Hash of everything it was made from.
        files: Its files by name, with their SHA-256.
        seconds: Wall time.
        provenance: Guardian, recipe, seeds and the like.
    """

    inputs_sha256: str
    files: Mapping[str, str]
    seconds: float = 0.0
    provenance: Mapping[str, str] = Field(default_factory=dict)


class Uncertified(Record):
    """A judged figure whose judge was not certified for its task and language."""

    task: str
    language: Language
    metric: str


class AlignmentResult(Record):
    """How an alignment ended; ``result.json``.

    Attributes:
        spec: What was asked.
        guardian_sha256: Weights of the judge.
        base_fingerprint: Weights of the base.
        base_uri: The base.
        best: The best round; 0 where no round was better than the base.
        best_uri: The URI under which the best model opens.
        adapter: The best adapter's folder, relative to the output folder; empty for the base.
        adapter_sha256: Of its weights.
        rounds: Decisions, in order.
        final_base: Folder of the last measurement of the base, relative.
        final_best: The same of the best model; equal to ``final_base`` where the base stayed best.
        uncertified: Judged figures without a certified judge.
        notes: What a user should know.
        seconds: Wall time of all steps.
    """

    spec: AlignmentSpec
    guardian_sha256: str
    base_fingerprint: str
    base_uri: str
    best: int
    best_uri: str
    adapter: str
    adapter_sha256: str
    rounds: tuple[RoundDecision, ...]
    final_base: str
    final_best: str
    uncertified: tuple[Uncertified, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
