"""The audit dossier: one HTML file for a hospital's ethics committee."""

from __future__ import annotations

from dataclasses import dataclass

from primum.hashing import sha256_of
from primum.report.dossier_pictures import draw_dimensions, draw_overview, draw_radars
from primum.report.estimate_rows import level_text
from primum.report.failure_view import view_failures
from primum.report.gate_view import describe_standings, gate_bar, view_gates
from primum.report.render import render_page
from primum.report.run_facts import read_summary
from primum.report.run_view import MetricNames, RunView, view_run
from primum.report.scales import SHARE, metric_scale
from primum.report.wording import language_name, method_name, moment, phrase
from primum.schema.audit import AuditResult, RunResult
from primum.schema.base import LANGUAGES, Bilingual
from primum.schema.card import MetricCard, TaskCard


@dataclass(frozen=True, slots=True)
class Settings:
    """How one run was made, for the method section."""

    title: Bilingual
    language: Bilingual
    method: Bilingual
    items: int
    samples: int
    draw: Bilingual
    shots: int
    epochs: int
    temperature: str
    max_tokens: int
    directory: str
    prompts_sha256: str
    data: tuple[tuple[str, str], ...]
    data_sha256: str


@dataclass(frozen=True, slots=True)
class MetricLine:
    """How one metric is scored."""

    task: Bilingual
    metric: MetricCard
    waiting: bool


def render_dossier(result: AuditResult) -> str:
    """Render the dossier.

    The same result gives the same bytes. The page makes no request of any kind and shows Chinese or English, as its reader chooses.

    Args:
        result: A finished audit.

    Returns:
        One HTML document.

    Raises:
        DataFormatError: A run's summary cannot be read; names its keys, never their content.
    """
    gates = view_gates(result)
    context = {
        "result": result,
        "finished": moment(result.finished),
        "started": moment(result.environment.started),
        "languages": [language_name(language) for language in LANGUAGES if any(run.language == language for run in result.runs)],
        "level": level_text(result.protocol.level),
        "unscored_limit": SHARE.bar_text(result.protocol.unscored_limit),
        "gates": gates,
        "undecided": [gate for gate in gates if gate.undecided],
        "overview": draw_overview(result),
        "dimensions": draw_dimensions(result),
        "radars": draw_radars(result),
        "runs": [(run, view) for run, view in zip(result.runs, _views(result), strict=True)],
        "settings": [_settings(run) for run in result.runs],
        "metrics": _metric_lines(result),
        "cards": _cards(result),
        "failures": view_failures(result.runs),
        "seed": str(result.protocol.seed),
    }
    return render_page("dossier.html.jinja", context)


def _views(result: AuditResult) -> list[RunView]:
    return [
        view_run(
            read_summary(run.summary).model_copy(update={"estimates": run.estimates}),
            _names(result, run),
            anchor=f"run-{position}",
            title=run.card.title,
            level=run.spec.level,
            standing=describe_standings(result, run),
        )
        for position, run in enumerate(result.runs, start=1)
    ]


def _names(result: AuditResult, run: RunResult) -> MetricNames:
    cards = {card.name: card for card in (*run.card.metrics, *run.card.pending)}
    bars: dict[tuple[str, str], float] = {}
    for gate in result.protocol.gates:
        bar = gate_bar(result, run, gate.metric, gate.group)
        if gate.task == run.card.name and bar is not None:
            bars[(gate.metric, gate.group)] = bar
    return MetricNames(
        titles={name: card.title for name, card in cards.items()},
        scales={name: metric_scale(card, [e for e in run.estimates if e.metric == name]) for name, card in cards.items()},
        bars=bars,
    )


def _settings(run: RunResult) -> Settings:
    facts = read_summary(run.summary)
    data = tuple(sorted(run.data_sha256.items()))
    return Settings(
        title=run.card.title,
        language=language_name(run.language),
        method=method_name(run.method),
        items=facts.items,
        samples=facts.samples,
        draw=phrase("how.all_items") if run.spec.limit is None else phrase("how.drawn", limit=f"{run.spec.limit:,}"),
        shots=run.spec.shots,
        epochs=run.spec.epochs,
        temperature=f"{run.spec.sampling.temperature:g}",
        max_tokens=run.spec.sampling.max_tokens,
        directory=run.directory,
        prompts_sha256=facts.prompts_sha256,
        data=data,
        data_sha256=sha256_of(dict(data)),
    )


def _cards(result: AuditResult) -> list[TaskCard]:
    return list({run.card.name: run.card for run in result.runs}.values())


def _metric_lines(result: AuditResult) -> list[MetricLine]:
    waiting = {(run.card.name, metric) for run in result.runs for metric in read_summary(run.summary).pending}
    return [
        MetricLine(task=card.title, metric=metric, waiting=(card.name, metric.name) in waiting)
        for card in _cards(result)
        for metric in (*card.metrics, *card.pending)
    ]
