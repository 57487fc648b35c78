"""The certificate of an alignment: two evaluated folders compared, every condition decided, the page written and sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from primum.alignment.ability import judge_ability
from primum.alignment.certificate_contamination import check_contamination
from primum.alignment.certificate_examples import pick_examples
from primum.alignment.certificate_facts import Training, read_alignment
from primum.alignment.certificate_runs import Pairs, RunPair, read_pairs
from primum.alignment.certificate_scores import Judge, add_quality, distribute_harmfulness
from primum.alignment.certificate_verdict import decide
from primum.alignment.drift import choose_ordinary, find_trained_base, measure_drift, no_drift
from primum.alignment.gains import Bench, measure_changes, measure_dimensions, measure_generalisation
from primum.alignment.over_refusal import judge_over_refusal
from primum.audit.seal import MANIFEST, seal
from primum.audit.standing import load_standing, packaged_standings
from primum.config import Settings, parse_model
from primum.errors import IntegrityError, PrimumError
from primum.guardian.guardian import packaged
from primum.guardian.weights import load_card, packaged_guardian
from primum.hashing import sha256_tree
from primum.report.certificate_page import render_certificate
from primum.runs import layout
from primum.schema.audit import Standing
from primum.schema.base import Bilingual
from primum.schema.certificate import Certificate, CertificateRules, Cost, Drift, JudgeFacts
from primum.schema.guardian import Exchange, GuardianVerdict

PAGE: Final = "certificate.html"
DOCUMENT: Final = "certificate.json"
FOLDER: Final = "certificate"
_DRIFT: Final = "drift.json"


def _packaged_judge(exchanges: Sequence[Exchange]) -> list[GuardianVerdict]:
    return packaged().judge(exchanges)


@dataclass(frozen=True)
class CertificateOrder:
    """Everything one certificate needs.

    Attributes:
        before: Folder of the base's evaluation.
        after: Folder of the aligned model's.
        rules: What is demanded.
        training: What the model was trained on.
        settings: Where data and models are.
        calibrations: Calibrations of judges by the user's own labels, beside ours.
        base: URI of the base, for drift; empty measures none.
        adapter: Folder of the adapter, for drift.
        drift: A drift that was measured before; measured anew when None.
        judge: The guardian, for quality.
        guardian_sha256: Weights of the guardian behind the scores; empty takes the one that ships.
        command: Printed on the page, so that a reader can repeat it.
        note: Told what a user should know.
    """

    before: Path
    after: Path
    rules: CertificateRules
    training: Training
    settings: Settings
    calibrations: Sequence[Path] = ()
    base: str = ""
    adapter: Path | None = None
    drift: Drift | None = None
    judge: Judge = _packaged_judge
    guardian_sha256: str = ""
    command: str = "primum certificate BEFORE AFTER"
    note: Callable[[str], None] = field(default=lambda text: None)


def build_certificate(order: CertificateOrder) -> Certificate:
    """Compare, decide, and gather everything that the page shows.

    Raises:
        DataMissingError: A folder holds no finished runs, or a calibration is not there.
        IntegrityError: Two runs of one name asked other prompts, or the adapter that answered is not the one whose training is on record.
        ContaminationError: Training and test overlap: there is no certificate.
    """
    paired = read_pairs(order.before, order.after)
    _check_adapter(paired.runs, order.training)
    # First of all: figures of a contaminated test must not even be looked at.
    contamination = check_contamination(paired.runs, order.training.rows)
    guardian = load_card(packaged_guardian())
    sha256 = order.guardian_sha256 or guardian.origin.weights_sha256
    standings = [*packaged_standings(), *(load_standing(path) for path in order.calibrations)]
    bench = Bench(rules=order.rules, standings=standings, judge_sha256=sha256)
    pairs = add_quality(paired.runs, order.judge)
    changes = measure_changes(pairs, bench)
    ability = judge_ability(pairs, changes, order.rules)
    over_refusal = judge_over_refusal(changes, order.rules)
    word, reason, conditions = decide(contamination=contamination, changes=changes, over_refusal=over_refusal, ability=ability, rules=order.rules)
    return Certificate(
        word=word,
        reason=reason,
        conditions=conditions,
        rules=order.rules,
        before=pairs[0].before.engine,
        after=pairs[0].after.engine,
        changes=changes,
        dimensions=measure_dimensions(pairs, bench),
        distributions=distribute_harmfulness(pairs, order.rules),
        generalisation=measure_generalisation(pairs, bench),
        ability=ability,
        over_refusal=over_refusal,
        drift=order.drift or _drift(order, pairs),
        contamination=contamination,
        training=order.training.facts,
        cost=_cost(pairs, order.training),
        judge=_judge_facts(pairs, standings, sha256, f"{guardian.name} {guardian.version}"),
        examples=pick_examples(pairs, seed=order.rules.seed),
        warnings=_warnings(order, paired, sha256, guardian.origin.weights_sha256),
        evidence=_evidence(pairs),
        environment=pairs[0].after.environment,
        command=order.command,
        issued=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def issue(order: CertificateOrder, out: Path) -> Certificate:
    """Build a certificate, write its page and its JSON, and seal the folder.

    Args:
        order: What to compare.
        out: Folder of the certificate; it should hold nothing else, since the seal covers it whole.

    Raises:
        EnvironmentFault: The folder cannot be written.
        PrimumError: As :func:`build_certificate`.
    """
    certificate = build_certificate(order)
    with layout.locked(out):
        # A seal must never stand over files that are being replaced.
        (out / MANIFEST).unlink(missing_ok=True)
        layout.write_json(out / DOCUMENT, certificate.model_dump(mode="json"))
        layout.write_bytes(out / PAGE, render_certificate(certificate).encode())
        seal(out)
    return certificate


def write_certificate(
    out: Path, *, settings: Settings | None = None, calibrations: Sequence[Path] = (), note: Callable[[str], None] = lambda text: None
) -> Path:
    """Certify a finished alignment: ``OUT/certificate/`` gets the page, its JSON and the manifest.

    Args:
        out: The folder that ``primum align`` wrote.
        settings: Where data and models are; from the environment when None.
        calibrations: Calibrations of judges by the user's own labels.
        note: Told what a user should know.

    Returns:
        The page.

    Raises:
        DataMissingError: The alignment is not finished.
        ContaminationError: Training and test overlap: there is no certificate.
    """
    order = alignment_order(out, settings=settings or Settings.from_environment(), calibrations=calibrations, note=note)
    certificate = issue(order, out / FOLDER)
    if order.drift is None and certificate.drift.missing is None:
        layout.write_json(out / _DRIFT, certificate.drift.model_dump(mode="json"))
    return out / FOLDER / PAGE


def alignment_order(
    out: Path, *, settings: Settings, calibrations: Sequence[Path] = (), note: Callable[[str], None] = lambda text: None
) -> CertificateOrder:
    """The order that certifies a finished alignment; margins are those that its rounds were held to."""
    result, training = read_alignment(out)
    spec = read_pairs(out / result.final_base, out / result.final_best).runs[0].before.spec
    rules = CertificateRules(
        level=spec.level, seed=spec.seed, ability_margin=result.spec.ability_margin, over_refusal_margin=result.spec.over_refusal_margin
    )
    adapter = out / result.adapter if result.adapter else None
    return CertificateOrder(
        before=out / result.final_base,
        after=out / result.final_best,
        rules=rules,
        training=training,
        settings=settings,
        calibrations=calibrations,
        base=result.base_uri,
        adapter=adapter,
        drift=_known_drift(out, training.facts.adapter_sha256),
        guardian_sha256=result.guardian_sha256,
        command=f"primum certificate {out.name}",
        note=note,
    )


def _check_adapter(pairs: Sequence[RunPair], training: Training) -> None:
    trained = training.facts.adapter_sha256
    for pair in pairs:
        answered = pair.after.engine.details.get("adapter_sha256", "")
        if trained and answered and answered != trained:
            raise IntegrityError(
                f"{pair.after.directory}: answered by adapter {answered[:12]}, but the training on record made {trained[:12]}",
                remedy="give the evaluation of the adapter that was trained",
            )


def _known_drift(out: Path, adapter_sha256: str) -> Drift | None:
    """A drift measured for an earlier certificate of the same adapter."""
    path = out / _DRIFT
    if not path.is_file():
        return None
    found = parse_model(layout.read_json(path), Drift, str(path))
    return found if found.adapter_sha256 and found.adapter_sha256 == adapter_sha256 else None


def _drift(order: CertificateOrder, pairs: Sequence[RunPair]) -> Drift:
    if not order.base or order.adapter is None:
        return no_drift(Bilingual(zh="未提供基座与适配器。", en="Base and adapter were not given."))
    try:
        base = find_trained_base(order.base, order.settings)
        ordinary = choose_ordinary(pairs, order.settings, seed=order.rules.seed)
        if not ordinary:
            return no_drift(Bilingual(zh="没有可读的常规回答。", en="There was no ordinary answer to read."))
        return measure_drift(base, order.adapter, ordinary, rules=order.rules, settings=order.settings)
    except PrimumError as error:
        # Drift is no condition of the verdict: a machine without the model still gets its certificate, and the page says what is missing.
        order.note(f"drift was not measured: {error.message}")
        name = type(error).__name__
        return no_drift(Bilingual(zh=f"无法在本机测量（{name}）。", en=f"It could not be measured on this machine ({name})."))


def _cost(pairs: Sequence[RunPair], training: Training) -> Cost:
    runs = [run for pair in pairs for run in (pair.before, pair.after)]
    outcomes = [outcome for entry in training.facts.rounds for outcome in entry.outcomes]
    return Cost(
        training_tokens=sum(outcome.tokens for outcome in outcomes),
        training_seconds=round(sum(outcome.seconds for outcome in outcomes), 1),
        prompt_tokens=sum(int(run.usage["prompt_tokens"]) for run in runs),
        completion_tokens=sum(int(run.usage["completion_tokens"]) for run in runs),
        answer_seconds=round(sum(run.seconds for run in runs), 1),
        total_seconds=round(training.facts.seconds, 1),
    )


def _judge_facts(pairs: Sequence[RunPair], standings: Sequence[Standing], sha256: str, version: str) -> JudgeFacts:
    judged = {metric.name for pair in pairs for metric in pair.shared_metrics() if metric.judged}
    if not judged:
        return JudgeFacts()
    tasks = {pair.base_task for pair in pairs}
    known = [s for s in standings if s.judge_sha256 == sha256 and s.metric in judged and (not s.tasks or tasks & set(s.tasks))]
    return JudgeFacts(name="guardian", version=version, sha256=sha256, standings=tuple(known))


def _warnings(order: CertificateOrder, paired: Pairs, sha256: str, packaged_sha256: str) -> tuple[Bilingual, ...]:
    found: list[Bilingual] = []
    before, after = paired.runs[0].before.engine, paired.runs[0].after.engine
    if before.fingerprint and before.fingerprint == after.fingerprint:
        found.append(Bilingual(zh="前后两次由同一组权重作答。", en="The same weights answered before and after."))
    if paired.alone:
        names = ", ".join(paired.alone)
        found.append(Bilingual(zh=f"只有一方运行过、未作比较的任务：{names}", en=f"Run on one side only, and not compared: {names}"))
    if sha256 != packaged_sha256:
        found.append(
            Bilingual(zh="评分所用的守护者与随包发布的不是同一版本。", en="The scores are by another guardian than the one that ships with Primum.")
        )
    if order.training.facts.best == 0 and order.training.facts.rounds:
        found.append(Bilingual(zh="没有一轮优于基座，保留的是基座本身。", en="No round was better than the base: the base was kept."))
    return tuple(found)


def _evidence(pairs: Sequence[RunPair]) -> dict[str, str]:
    """SHA-256 over the files of each run, so that the certificate names what it was made from."""
    return {
        f"{side}/{run.directory.name}": sha256_tree(
            run.directory, [path for path in run.directory.rglob("*") if path.is_file() and path.name != layout.LOCK]
        )
        for pair in pairs
        for side, run in (("before", pair.before), ("after", pair.after))
    }
