"""One round, step by step; each step's files are kept with their hashes, and a step whose inputs are the same is not done again."""

from __future__ import annotations

import time
from pathlib import Path

from primum.alignment.composition import Wishes, compose
from primum.alignment.judging import judge_answers
from primum.alignment.measuring import Tuned
from primum.alignment.prompts import require_training, target_prompts
from primum.alignment.records import Ledger, read_records, write_records
from primum.alignment.review import LABELS, labels_in_effect, read_labels
from primum.alignment.round_training import WEIGHTS, Round, choose_recipe, prefer, supervise
from primum.alignment.sampling import sample_answers
from primum.alignment.selection import RoundAnswers, accepted_demonstrations, select_answers
from primum.alignment.stopping import Measured
from primum.alignment.weakness import find_weaknesses
from primum.errors import InputError
from primum.hashing import sha256_file, sha256_of
from primum.runs import layout
from primum.schema.alignment import (
    AlignmentSpec,
    Composition,
    JudgedAnswer,
    ReviewedLabel,
    SampledAnswer,
    Selected,
    TargetPrompt,
)
from primum.tasks.primum_bank.parts import training_norms


class NothingWeakError(InputError):
    """The model failed nowhere. After a round that is an end, before the first one it is a fault of the order."""


async def train_round(round_: Round, *, start: Tuned, weak: tuple[Measured, Measured]) -> tuple[Tuned, tuple[str, ...]]:
    """From weakness to a trained adapter; returns it and what is to be said of it.

    Raises:
        NothingWeakError: The model failed nowhere.
    """
    _find_prompts(round_, weak)
    await _sample(round_, start)
    _judge(round_)
    _select(round_)
    composition = _compose(round_)
    await round_.engines.close()
    recipe = choose_recipe(round_)
    adapter, outcomes = supervise(round_, start, recipe)
    if round_.spec.method != "sft":
        adapter, outcomes = prefer(round_, adapter, outcomes)
    notes = [*composition.notes, *(note for outcome in outcomes for note in outcome.notes)]
    if composition.overlaps:
        notes.append(f"round {round_.number}: {len(composition.overlaps)} training texts were left out, too near held-out ones (composition.json)")
    tuned = Tuned(number=round_.number, uri=round_.trainer.adapted_uri(adapter), adapter=adapter, sha256=sha256_file(adapter / WEIGHTS))
    return tuned, tuple(notes)


def _find_prompts(round_: Round, weak: tuple[Measured, Measured]) -> None:
    norms = frozenset(norm.id for norm in training_norms())
    # Validation says which dimensions are weak, and how many; only training norms are named by it, so only they are asked about.
    weaknesses = find_weaknesses([(part.root, run) for part in weak for run in part.runs], training=norms, level=round_.suite.level)
    if not weaknesses:
        raise NothingWeakError("the model failed nowhere, so there is nothing to align on", remedy="take a harder suite, or more items of it")
    count, seed = round_.spec.sizes.prompts, round_.spec.seed

    def make() -> None:
        write_records(round_.path("weaknesses.jsonl"), weaknesses)
        write_records(round_.path("prompts.jsonl"), target_prompts(weaknesses, count=count, seed=seed, number=round_.number))

    inputs = {"weaknesses": [entry.model_dump(mode="json") for entry in weaknesses], "count": count, "seed": seed, "number": round_.number}
    round_.ledger.run("prompts", inputs=inputs, files=["weaknesses.jsonl", "prompts.jsonl"], make=make, provenance={"seed": str(seed)})


async def _sample(round_: Round, start: Tuned) -> None:
    spec, sizes = round_.spec, round_.spec.sizes
    uri = spec.engine or start.uri
    sampling = {"samples": sizes.samples, "tokens": sizes.answer_tokens, "temperature": sizes.temperature, "seed": spec.seed}
    inputs = {"prompts": round_.ledger.digest("prompts"), "engine": spec.engine or start.sha256, **sampling}
    if round_.ledger.is_done("samples", inputs):
        return
    begun = time.monotonic()
    prompts = read_records(round_.path("prompts.jsonl"), TargetPrompt)
    require_training(prompts)
    if spec.engine and start.number:
        round_.progress.note(f"answers are sampled by {spec.engine}, which does not hold the adapter of round {start.number}")
    engine = await round_.engines.get(uri)
    # Named by its inputs: answers of another model or to other prompts are never taken for these.
    journal = round_.path(f"samples-{sha256_of(inputs)[:12]}.journal")
    answers = await sample_answers(prompts, engine=engine, sizes=sizes, seed=spec.seed, journal=journal, progress=round_.progress)
    write_records(round_.path("samples.jsonl"), answers)
    provenance = {"engine": engine.identity.uri, "fingerprint": engine.identity.fingerprint, "seed": str(spec.seed)}
    round_.ledger.finish("samples", inputs=inputs, files=["samples.jsonl"], provenance=provenance, seconds=time.monotonic() - begun)
    journal.unlink()


def _judge(round_: Round) -> None:
    def make() -> None:
        prompts, answers = read_records(round_.path("prompts.jsonl"), TargetPrompt), read_records(round_.path("samples.jsonl"), SampledAnswer)
        write_records(round_.path("verdicts.jsonl"), judge_answers(prompts, answers, round_.judge))

    sha = round_.judge.sha256
    inputs = {"answers": round_.ledger.digest("prompts", "samples"), "guardian": sha}
    round_.ledger.run("verdicts", inputs=inputs, files=["verdicts.jsonl"], make=make, provenance={"guardian": sha})


def _select(round_: Round) -> None:
    share, seed = round_.spec.sizes.review_share, round_.spec.seed

    def make() -> None:
        prompts, judged = read_records(round_.path("prompts.jsonl"), TargetPrompt), read_records(round_.path("verdicts.jsonl"), JudgedAnswer)
        selected = select_answers(prompts, judged, share=share, seed=seed)
        answers = RoundAnswers(prompts, read_records(round_.path("samples.jsonl"), SampledAnswer), judged, selected)
        write_records(round_.path("selected.jsonl"), selected)
        write_records(round_.path("accepted.jsonl"), accepted_demonstrations(answers, selected))
        write_records(round_.path("review.jsonl"), [entry for entry in selected if entry.review])

    inputs = {"verdicts": round_.ledger.digest("prompts", "samples", "verdicts"), "share": share, "seed": seed}
    files = ["selected.jsonl", "accepted.jsonl", "review.jsonl"]
    round_.ledger.run("selection", inputs=inputs, files=files, make=make, provenance={"seed": str(seed)})


def _compose(round_: Round) -> Composition:
    # Labels are taken once: what people say later goes into the next round, and never changes what this one was trained on.
    labels = round_.path(LABELS)
    round_.ledger.run(
        "labels", inputs={"round": round_.number}, files=[LABELS], make=lambda: write_records(labels, read_labels(round_.out)), provenance={}
    )
    spec, folders = round_.spec, [round_.out / f"round-{number}" for number in range(1, round_.number + 1)]
    wishes = Wishes(
        sizes=spec.sizes, mix=spec.mix, seed=spec.seed, number=round_.number, limit=_limit(spec), data=round_.data,
        tasks=(*round_.suite.validation, *round_.suite.tasks), preferences=spec.method != "sft",
    )  # fmt: skip

    def make() -> None:
        known = labels_in_effect(read_records(labels, ReviewedLabel))
        made = compose(wishes, [_answers(folder) for folder in folders], known, round_.trainer)
        write_records(round_.path("data.jsonl"), made.demonstrations)
        write_records(round_.path("pairs.jsonl"), made.preferences)
        layout.write_json(round_.path("composition.json"), made.composition.model_dump(mode="json"))

    inputs = {
        "selected": [Ledger(folder).digest("prompts", "samples", "selection") for folder in folders],
        "labels": round_.ledger.digest("labels"),
        "wishes": [spec.sizes.model_dump(exclude={"rounds"}), spec.mix, spec.seed, wishes.limit, spec.method, str(round_.data or "")],
    }
    files = ["data.jsonl", "pairs.jsonl", "composition.json"]
    round_.ledger.run("data", inputs=inputs, files=files, make=make, provenance={"seed": str(spec.seed)})
    return Composition.model_validate(layout.read_json(round_.path("composition.json")))


def _limit(spec: AlignmentSpec) -> int:
    return min(spec.recipe.max_tokens, spec.preference.max_tokens) if spec.method != "sft" else spec.recipe.max_tokens


def _answers(folder: Path) -> RoundAnswers:
    return RoundAnswers(
        read_records(folder / "prompts.jsonl", TargetPrompt),
        read_records(folder / "samples.jsonl", SampledAnswer),
        read_records(folder / "verdicts.jsonl", JudgedAnswer),
        read_records(folder / "selected.jsonl", Selected),
    )
