"""``primum``: the commands.

Exit codes: 0 done and passed, 1 a gate failed, 2 bad usage or input, 3 an engine or environment fault, 130 interrupted.
"""

from __future__ import annotations

import sys

import typer

from primum.cli import (
    align,
    arms,
    audit,
    bank,
    certificate,
    compare,
    data,
    doctor,
    evaluate,
    guardian,
    judge,
    models,
    norms,
    plan,
    reproduce,
    runs,
    score,
    tasks,
)
from primum.errors import PrimumError

app = typer.Typer(
    name="primum",
    help="Measure, improve and govern the ethics and safety of medical language models, offline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
audit.register(app)
align.register(app)
arms.register(app)
reproduce.register(app)
certificate.register(app)
evaluate.register(app)
score.register(app)
judge.register(app)
compare.register(app)
runs.register(app)
tasks.register(app)
data.register(app)
models.register(app)
norms.register(app)
bank.register(app)
guardian.register(app)
plan.register(app)
doctor.register(app)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    if version:
        from primum import __version__

        sys.stdout.write(f"primum {__version__}\n")
        raise typer.Exit


_INTERRUPTED = 130


def main() -> None:
    """Run a command and leave with its exit code; deliberate errors are one message and its remedy, never a traceback."""
    try:
        outcome = app(standalone_mode=False)
        if outcome == _INTERRUPTED:
            raise KeyboardInterrupt  # typer turns Ctrl-C into this exit code and says nothing
    except PrimumError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.stderr.write("interrupted: everything answered so far is kept; run the same command again to resume\n")
        sys.exit(_INTERRUPTED)
    except Exception as error:
        if not _is_usage_error(error):
            raise
        error.show()  # type: ignore[attr-defined]
        sys.exit(2)
    sys.exit(outcome if isinstance(outcome, int) else 0)


def _is_usage_error(error: Exception) -> bool:
    # typer carries its own copy of click since 0.2x; both kinds of exception have show() and exit_code.
    return hasattr(error, "show") and hasattr(error, "exit_code")


if __name__ == "__main__":
    main()
