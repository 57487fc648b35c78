"""Options of the commands that train, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from primum.schema.training import PreferenceRecipe, TrainingRecipe

PresetOption = Annotated[str, typer.Option("--preset", help="Training recipe: cpu, paper-c or qlora.")]
RecipeOption = Annotated[Path | None, typer.Option("--recipe", help="YAML of recipe keys that replace the preset's.", show_default=False)]
SharesOption = Annotated[
    str, typer.Option("--shares", help="Parts by origin instead of the mix's own: bank=3,benign=2,choice=5.", show_default=False)
]
_ORIGINS = ("bank", "benign", "choice", "medsafetybench", "general")


def parse_shares(text: str) -> dict[str, float]:
    """``bank=3,choice=5`` as numbers.

    Raises:
        UsageError: A part is no ``origin=number``, or the origin is not known.
    """
    from primum.errors import UsageError
    from primum.registry import nearest

    found: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.partition("=")
        if name.strip() not in _ORIGINS:
            raise UsageError(f"--shares: no origin {name.strip()!r}", remedy=nearest(name.strip(), _ORIGINS))
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise UsageError(f"--shares: {part!r} has no number", remedy="write it as bank=3,choice=5") from None
    return found


def read_recipes(preset: str, path: Path | None, *, seed: int) -> tuple[TrainingRecipe, PreferenceRecipe]:
    """The preset's recipes with the user's keys; the supervised one with the seed.

    Raises:
        UnknownNameError: No such preset; names the nearest.
        ConfigError: The file does not fit.
    """
    from primum.config import load_yaml, parse_model
    from primum.errors import ConfigError, UnknownNameError
    from primum.registry import nearest
    from primum.schema.training import TrainingRecipe
    from primum.training.presets import PREFERENCE_PRESETS, PRESETS

    if preset not in PRESETS:
        raise UnknownNameError(f"no preset {preset!r}", remedy=nearest(preset, PRESETS))
    keys = load_yaml(path) if path is not None else {}
    if not isinstance(keys, dict):
        raise ConfigError(f"{path}: not a mapping of recipe keys", remedy="write keys such as rate: 0.0005")
    chosen = parse_model({**PRESETS[preset].model_dump(), **keys, "seed": seed}, TrainingRecipe, str(path or preset))
    return chosen, PREFERENCE_PRESETS.get(preset, PREFERENCE_PRESETS["paper-c"])
