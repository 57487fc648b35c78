"""``primum audit`` and ``primum audit verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from primum.cli.options import (
    CacheOption,
    DataOption,
    JsonOption,
    ModelOption,
    OfflineOption,
    OutOption,
    checked_cache,
    run_async,
    settings_from,
    slug,
)

if TYPE_CHECKING:
    from primum.schema.audit import AuditResult


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        invoke_without_command=True, help="Audit a model against a protocol and write a sealed dossier; or verify one.", rich_markup_mode=None
    )
    group.callback()(audit_command)
    group.command("verify", help="Check a dossier's seal: intact (0), tampered (1) or unsealed (1).")(verify_command)
    group.command("protocols", help="List the protocols that ship with Primum.")(protocols_command)
    app.add_typer(group, name="audit")


def audit_command(  # noqa: D103 - the help text is given on registration
    context: typer.Context,
    model: ModelOption = "embedded",
    protocol: Annotated[str, typer.Option("--protocol", "-p", help="quick, full, or a YAML file.")] = "quick",
    data: DataOption = None,
    out: OutOption = None,
    cache: CacheOption = "auto",
    offline: OfflineOption = False,
    calibration: Annotated[
        list[Path] | None, typer.Option("--calibration", help="calibration.json of primum judge calibrate: your own labels.", show_default=False)
    ] = None,
    json: JsonOption = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    from primum.audit.protocols import load_protocol
    from primum.cli.console import print_json
    from primum.hashing import sha256_of

    settings = settings_from(data, offline)
    loaded, path = load_protocol(protocol)
    directory = out or Path("audits") / f"{slug(loaded.name)}-{slug(model)[:30]}-{sha256_of([model, loaded])[:8]}"
    result = run_async(_audit(model, loaded, path, settings, directory, checked_cache(cache), calibration or []))
    if json:
        print_json({**_short(result), "directory": str(directory), "dossier": str(directory / "dossier.html")})
    else:
        _print_result(result, directory)
    if result.verdict == "fail":
        raise typer.Exit(1)


async def _audit(model: str, protocol: Any, path: Path, settings: Any, directory: Path, cache: Any, calibrations: list[Path]) -> AuditResult:
    from primum.audit.workflow import AuditOrder, run_audit
    from primum.cli.console import progress_displays
    from primum.engines.opening import open_engine

    engine = open_engine(model)
    try:
        with progress_displays() as display:
            order = AuditOrder(
                protocol=protocol,
                protocol_path=path,
                engine=engine,
                model=model,
                calibrations=calibrations,
                directory=directory,
                settings=settings,
                progress_for=display,
                cache=cache,
            )
            return await run_audit(order)
    finally:
        await engine.close()


def _short(result: AuditResult) -> dict[str, Any]:
    """The result without examples and cards, for scripts."""
    return {
        "verdict": result.verdict,
        "reason": result.reason.model_dump(),
        "protocol": {"name": result.protocol.name, "version": result.protocol.version, "sha256": result.protocol_sha256},
        "engine": result.engine.model_dump(mode="json"),
        "gates": [gate.model_dump(mode="json") for gate in result.gates],
        "runs": [{"directory": run.directory, "task": run.card.name, "language": run.language, "method": run.method} for run in result.runs],
        "skipped": [entry.model_dump() for entry in result.skipped],
    }


def _print_result(result: AuditResult, directory: Path) -> None:
    from primum.cli.console import print_table, say
    from primum.cli.format import interval_text

    rows = [
        [
            gate.gate.id + (f" {gate.name}" if gate.name else ""),
            gate.language,
            gate.gate.metric,
            "no score" if gate.estimate is None else interval_text(gate.estimate),
            0 if gate.estimate is None else gate.estimate.n,
            f"{'>=' if gate.gate.comparison == 'at_least' else '<='} {gate.gate.bar:g}",
            gate.decision.replace("_", " "),
        ]
        for gate in result.gates
    ]
    print_table(
        f"protocol {result.protocol.name} on {result.engine.model}",
        ("gate", "language", "metric", "estimate [interval]", "n", "bar", "decision"),
        rows,
    )
    for entry in result.skipped:
        say(f"skipped: {entry.task} ({entry.language}): {entry.reason}")
    say(f"verdict: {result.verdict.replace('_', ' ').upper()} - {result.reason.en}")
    say(f"dossier: {directory / 'dossier.html'}")


def verify_command(  # noqa: D103 - the help text is given on registration
    directory: Annotated[Path, typer.Argument(help="Folder that primum audit wrote.")], json: JsonOption = False
) -> None:
    from primum.audit.seal import verify_seal
    from primum.cli.console import print_json, say

    check = verify_seal(directory)
    if json:
        print_json(check.model_dump(mode="json"))
    else:
        say(f"{check.state}: {check.files} files" + (f", seal {check.seal_sha256}" if check.seal_sha256 else ""))
        for word, names in (("changed", check.changed), ("missing", check.missing), ("added", check.added)):
            for name in names:
                say(f"  {word}: {name}")
    if check.state != "intact":
        raise typer.Exit(1)


def protocols_command(json: JsonOption = False) -> None:  # noqa: D103 - the help text is given on registration
    from primum.audit.protocols import load_protocol, packaged_protocols
    from primum.cli.console import print_json, print_table

    loaded = [load_protocol(name)[0] for name in packaged_protocols()]
    if json:
        print_json({"protocols": [protocol.model_dump(mode="json") for protocol in loaded]})
        return
    rows = [[p.name, p.version, p.title.en, p.title.zh, len(p.tasks), len(p.gates)] for p in loaded]
    print_table("", ("protocol", "version", "title", "", "tasks", "gates"), rows)
