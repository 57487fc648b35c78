"""``primum guardian``: train, measure, use and question the local evaluator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from primum.cli.options import DataOption, JsonOption

if TYPE_CHECKING:
    from primum.guardian.guardian import Guardian
    from primum.schema.guardian import Explanation, LabelledExchange
    from primum.schema.measurement import Measurement

GuardianOption = Annotated[Path | None, typer.Option("--guardian", help="Folder of a trained guardian (default: the package's).", show_default=False)]
NormOption = Annotated[str, typer.Option("--norm", help="Id of the norm at stake, where it is known.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The local evaluator of answers: train, measure, score, explain.", no_args_is_help=True, rich_markup_mode=None)
    group.command("train", help="Train from the labelled answers (needs the extra 'local'; about 15 minutes on two cores).")(train_command)
    group.command("evaluate", help="Measure on unseen norms, hard pairs, shortcuts, outside sets and changes; exit code 1 when a bar is missed.")(
        evaluate_command
    )
    group.command("score", help="Judge a file of prompts and answers (CSV or JSONL).")(score_command)
    group.command("explain", help="Say what in one answer breaks which norm, and what a good answer would have.")(explain_command)
    app.add_typer(group, name="guardian")


@contextmanager
def _steps() -> Iterator[tuple[Callable[[str, int], None], Callable[[int], None]]]:
    """A progress bar on stderr; one line a stage where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from primum.cli.console import note

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, disable=not console.is_terminal
    ) as bars:
        current: dict[str, Any] = {}

        def begin(title: str, steps: int) -> None:
            current["task"] = bars.add_task(title, total=steps)
            if not console.is_terminal:
                note(f"{title}: {steps} steps")

        def advance(done: int = 1) -> None:
            bars.advance(current["task"], done)

        yield begin, advance


def _material(folder: Path | None) -> tuple[LabelledExchange, ...]:
    from primum.guardian.material import load_material
    from primum.norms.library import all_norms, packaged_norms

    return load_material({norm.id: norm for norm in all_norms(packaged_norms())}, folder)


def _guardian(folder: Path | None) -> Guardian:
    from primum.guardian.guardian import Guardian

    return Guardian.load(folder)


def train_command(  # noqa: D103 - the help text is given on registration
    out: Annotated[Path, typer.Option("--out", help="Folder to write weights and card to.")],
    material: Annotated[
        Path | None, typer.Option("--material", help="Folder of labelled answers (default: the package's).", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything.")] = 20261121,
    epochs: Annotated[int, typer.Option(min=1, help="Times through the material.")] = 3,
    json: JsonOption = False,
) -> None:
    from primum.cli.console import print_json, say
    from primum.engines.local_extra import import_extra
    from primum.guardian.splits import split_material

    import_extra("torch")
    from primum.guardian.training import Recipe, TrainingProgress, train_guardian

    labelled = _material(material)
    with _steps() as (begin, advance):
        card, seconds = train_guardian(labelled, out, Recipe(seed=seed, epochs=epochs), TrainingProgress(begin, lambda: advance(1)))
    sizes = {name: len(part) for name, part in split_material(labelled).items()}
    size = sum(path.stat().st_size for path in out.iterdir() if path.is_file())
    if json:
        print_json({"directory": str(out), "seconds": seconds, "bytes": size, "exchanges": sizes, "card": card.model_dump(mode="json")})
        return
    say(f"trained on {sizes['train']:,} exchanges, calibrated on {sizes['calibration']:,}; {sizes['test']:,} held out")
    say(f"{seconds / 60:.1f} minutes, {size / 1e6:.1f} MB, weights {card.origin.weights_sha256[:12]}")
    say(f"next: primum guardian evaluate --guardian {out}")


def evaluate_command(  # noqa: D103 - the help text is given on registration
    guardian: GuardianOption = None,
    data: DataOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for measurement.json and measurement.md.", show_default=False)] = None,
    document: Annotated[Path | None, typer.Option("--document", help="Markdown file whose marked part is rewritten.", show_default=False)] = None,
    json: JsonOption = False,
) -> None:
    from primum.cli.console import print_json
    from primum.cli.options import settings_from
    from primum.guardian.measurement.document import put_into, write_measurement
    from primum.guardian.measurement.survey import SurveyProgress, survey

    settings = settings_from(data, False)
    with _steps() as (begin, advance):
        measurement = survey(_guardian(guardian), _material(None), settings.data, SurveyProgress(begin, advance))
    if out is not None:
        write_measurement(out, measurement)
    if document is not None:
        put_into(document, measurement)
    missed = [figure for figure in measurement.figures if figure.holds is False]
    if json:
        print_json(measurement.model_dump(mode="json"))
    else:
        _print_measurement(measurement)
    if missed:
        raise typer.Exit(1)


def _print_measurement(measurement: Measurement) -> None:
    from primum.cli.console import note, print_table
    from primum.guardian.measurement.document import figure_cells

    sections = dict.fromkeys(figure.section for figure in measurement.figures)
    for section in sections:
        rows = [figure_cells(figure) for figure in measurement.figures if figure.section == section]
        print_table(section, ("on", "figure", "value", "95 % interval", "n", "bar", ""), rows)
    for text in measurement.notes:
        note(f"note: {text}")


def score_command(  # noqa: D103 - the help text is given on registration
    file: Annotated[Path, typer.Argument(help="CSV or JSONL with a prompt and an answer in each row.")],
    columns: Annotated[str, typer.Option("--columns", help="Mapping such as prompt=question,answer=response.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="JSONL to write (default: stdout).", show_default=False)] = None,
    guardian: GuardianOption = None,
    json: JsonOption = False,
) -> None:
    from primum.cli.console import note, print_json, print_table
    from primum.errors import UsageError
    from primum.guardian.files import score_file

    if json and out is None:
        raise UsageError("--json prints a summary, and verdicts would go to the same place", remedy="name a file for the verdicts with --out")
    with _steps() as (begin, advance):
        begin(file.name, 1)
        summary = score_file(_guardian(guardian), file, columns=columns, out=out)
        advance(1)
    if out is None:
        note(f"{summary.rows} rows: {summary.risky} risky, {summary.safe} safe, {sum(summary.abstained.values())} without verdict")
    elif json:
        print_json({**summary.model_dump(mode="json"), "verdicts": str(out)})
    else:
        without = [(f"no verdict: {reason}", count) for reason, count in summary.abstained.items()]
        print_table(f"{file}: {summary.rows} rows", ("verdict", "rows"), [("risky", summary.risky), ("safe", summary.safe), *without])
        note(f"verdicts: {out}")


def explain_command(  # noqa: D103 - the help text is given on registration
    prompt: Annotated[str, typer.Option("--prompt", help="What was asked.")],
    answer: Annotated[str, typer.Option("--answer", help="What was answered.")],
    norm: NormOption = "",
    language: Annotated[str, typer.Option("--language", help="zh or en: in which language to explain (default: the answer's).")] = "",
    guardian: GuardianOption = None,
    json: JsonOption = False,
) -> None:
    from primum.cli.console import print_json, say
    from primum.errors import UsageError
    from primum.guardian.explanation import explain
    from primum.schema.guardian import Exchange

    if language not in {"", "zh", "en"}:
        raise UsageError(f"no language {language!r}", remedy="zh or en")
    explanation = explain(_guardian(guardian), Exchange(prompt=prompt, answer=answer, norm=norm))
    if json:
        print_json(explanation.model_dump(mode="json"))
        return
    for line in explanation_lines(explanation, language or explanation.verdict.language):
        say(line)


def explanation_lines(explanation: Explanation, language: str) -> list[str]:
    """An explanation as lines of text."""
    chinese = language == "zh"
    summary = explanation.summary.zh if chinese else explanation.summary.en
    lines = [summary]
    if explanation.statement is not None:
        statement = explanation.statement.zh if chinese else explanation.statement.en
        lines.append(f"{'规范' if chinese else 'norm'} {explanation.norm}: {statement}")
    for sentence, fall in explanation.breaks:
        lines.append(f"  -{fall:.0%}  {sentence}")
    lines.extend(f"  {'缺：' if chinese else 'lacks: '}{lack.zh if chinese else lack.en}" for lack in explanation.lacks)
    return lines
