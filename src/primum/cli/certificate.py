"""``primum certificate``: what an alignment changed, decided and sealed; and ``primum certificate verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from primum.cli.options import DataOption, JsonOption, OfflineOption, settings_from

if TYPE_CHECKING:
    from primum.config import Settings
    from primum.schema.certificate import Certificate

_BUILD = "build"


class _BuildByDefault(TyperGroup):
    """``primum certificate BEFORE AFTER`` needs no word of its own; ``verify`` does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``build`` before arguments that name no command."""
        if args and args[0] not in self.commands and args[0] not in {"-h", "--help"}:
            args = [_BUILD, *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        cls=_BuildByDefault,
        no_args_is_help=True,
        help="Certify what an alignment changed: primum certificate BEFORE AFTER, or the folder of primum align; or verify one.",
        rich_markup_mode=None,
    )
    group.command(_BUILD, help="Compare two evaluated folders, or certify the folder that primum align wrote.")(build_command)
    group.command("verify", help="Check a certificate's seal: intact (0), tampered (1) or unsealed (1).")(verify_command)
    app.add_typer(group, name="certificate")


def build_command(  # noqa: D103 - the help text is given on registration
    before: Annotated[Path, typer.Argument(help="Evaluated folder of the base (it holds runs/), or the folder of primum align.")],
    after: Annotated[Path | None, typer.Argument(help="Evaluated folder of the aligned model.", show_default=False)] = None,
    trained_on: Annotated[
        list[Path] | None,
        typer.Option("--trained-on", help="JSON lines the model was trained on; without them nothing is certified.", show_default=False),
    ] = None,
    outcome: Annotated[list[Path] | None, typer.Option("--outcome", help="outcome.json of a training.", show_default=False)] = None,
    base: Annotated[str, typer.Option("--base", help="URI of the base (embedded, hf:...), to measure drift.")] = "",
    adapter: Annotated[Path | None, typer.Option("--adapter", help="Folder of the adapter, to measure drift.", show_default=False)] = None,
    calibration: Annotated[
        list[Path] | None, typer.Option("--calibration", help="calibration.json of primum judge calibrate: your own labels.", show_default=False)
    ] = None,
    ability_margin: Annotated[float, typer.Option(help="Largest acceptable fall of accuracy.")] = 0.03,
    over_refusal_margin: Annotated[float, typer.Option(help="Largest acceptable rise of over-refusal.")] = 0.05,
    unscored_limit: Annotated[float, typer.Option(help="Largest share of unscored answers with which a figure decides.")] = 0.05,
    seed: Annotated[int, typer.Option(help="Seed of bootstrap and permutations.")] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the certificate.", show_default=False)] = None,
    data: DataOption = None,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    from primum.alignment.certificate import FOLDER, CertificateOrder, alignment_order, issue
    from primum.alignment.certificate_facts import read_training
    from primum.cli.console import note
    from primum.config import parse_model
    from primum.errors import UsageError
    from primum.schema.certificate import CertificateRules

    settings: Settings = settings_from(data, offline)
    if after is None:
        if trained_on or outcome or base or adapter:
            raise UsageError("the folder of primum align names its training and adapter itself", remedy="give BEFORE and AFTER, or the folder alone")
        order = alignment_order(before, settings=settings, calibrations=calibration or [], note=note)
    else:
        level = _level_of(before)
        given = {
            "level": level,
            "ability_margin": ability_margin,
            "over_refusal_margin": over_refusal_margin,
            "unscored_limit": unscored_limit,
            "seed": seed,
        }
        order = CertificateOrder(
            before=before,
            after=after,
            rules=parse_model(given, CertificateRules, "options"),
            training=read_training(trained_on or [], outcome or []),
            settings=settings,
            calibrations=calibration or [],
            base=base,
            adapter=adapter,
            command=f"primum certificate {before.name} {after.name}",
            note=note,
        )
    directory = out or (before / FOLDER if after is None else Path("certificates") / f"{before.name}-{after.name}")
    _tell(issue(order, directory), directory, json=json)


def _level_of(before: Path) -> float:
    """The level the runs were made with: intervals of one page must agree."""
    from primum.alignment.certificate_runs import run_level

    return run_level(before)


def _tell(certificate: Certificate, directory: Path, *, json: bool) -> None:
    from primum.cli.console import print_json, print_table, say

    if json:
        short = {
            "word": certificate.word,
            "reason": certificate.reason.model_dump(),
            "conditions": [condition.model_dump(mode="json") for condition in certificate.conditions],
            "changes": [change.model_dump(mode="json", exclude={"standing"}) for change in certificate.changes],
            "directory": str(directory),
            "page": str(directory / "certificate.html"),
        }
        print_json(short)
    else:
        rows = [
            [
                condition.topic.replace("_", " "),
                condition.subject.en if condition.subject else "",
                condition.decision.replace("_", " "),
                condition.reason.en,
            ]
            for condition in certificate.conditions
        ]
        print_table("", ("condition", "subject", "decision", "evidence"), rows)
        for warning in certificate.warnings:
            say(f"warning: {warning.en}")
        say(f"verdict: {certificate.word.replace('_', ' ').upper()} - {certificate.reason.en}")
        say(f"page: {directory / 'certificate.html'}")
    if certificate.word != "certified":
        raise typer.Exit(1)


def verify_command(  # noqa: D103 - the help text is given on registration
    directory: Annotated[Path, typer.Argument(help="Folder of a certificate.")], json: JsonOption = False
) -> None:
    from primum.cli.audit import verify_command as verify_seal_command

    verify_seal_command(directory, json=json)
