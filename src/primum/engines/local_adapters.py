"""Merging a LoRA adapter (Hu et al., arXiv 2106.09685) into the base it was trained on, and refusing any other base."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from primum.engines.local_extra import import_extra
from primum.errors import UsageError


def merge_adapter(model: Any, adapter: Path, *, base_name: str, aliases: frozenset[str]) -> Any:
    """Return ``model`` with the adapter's weights added into its own.

    The base is checked twice: by the name the adapter recorded, and by the modules and shapes of its low-rank factors (names move with
    folders; a wrong shape is certain).

    Args:
        model: The base, loaded.
        adapter: Folder with ``adapter_config.json`` and its weights.
        base_name: The base's name, for messages.
        aliases: Names and paths under which the adapter may have recorded this base.

    Raises:
        UsageError: No adapter there, one made for another base, or one of a kind that cannot be merged.
    """
    peft = import_extra("peft")
    config = check_adapter(model, adapter, base_name=base_name, aliases=aliases)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return peft.PeftModel.from_pretrained(model, adapter).merge_and_unload()
    except (ValueError, RuntimeError, AttributeError, KeyError) as error:
        raise UsageError(
            f"{adapter}: peft cannot merge this {config.peft_type} adapter into {base_name} ({type(error).__name__})",
            remedy="use a LoRA adapter that was trained on this base",
        ) from error


def check_adapter(model: Any, adapter: Path, *, base_name: str, aliases: frozenset[str]) -> Any:
    """The adapter's peft configuration, once it is certain that it was made for ``model``; arguments as :func:`merge_adapter`.

    Raises:
        UsageError: No adapter there, or one made for another base.
    """
    peft = import_extra("peft")
    try:
        config = peft.PeftConfig.from_pretrained(adapter)
    except (ValueError, OSError, TypeError, KeyError) as error:
        raise UsageError(
            f"{adapter}: not an adapter folder ({type(error).__name__})", remedy="give the folder that holds adapter_config.json"
        ) from error
    recorded = str(config.base_model_name_or_path or "")
    if recorded and not {recorded, Path(recorded).name} & {*aliases, *(Path(alias).name for alias in aliases)}:
        raise _wrong_base(adapter, recorded, base_name, "it records that base")
    fault = _misfit(model, adapter)
    if fault:
        raise _wrong_base(adapter, recorded or "an unnamed base", base_name, fault)
    return config


def _wrong_base(adapter: Path, recorded: str, base_name: str, why: str) -> UsageError:
    return UsageError(
        f"{adapter}: made for base {recorded!r}, not for {base_name!r} ({why})", remedy=f"open it on its own base: hf:{recorded}+{adapter}"
    )


def _misfit(model: Any, adapter: Path) -> str:
    """The first low-rank factor that has no module of its shape in ``model``; empty when all fit. Reads headers only."""
    path = adapter / "adapter_model.safetensors"
    if not path.is_file():
        return ""
    modules = dict(model.named_modules())
    with import_extra("safetensors").safe_open(path, framework="pt") as tensors:
        for key in sorted(tensors.keys()):
            name, mark, _ = key.removeprefix("base_model.model.").partition(".lora_")
            if not mark:
                continue
            module = modules.get(name)
            if module is None:
                return f"the base has no module {name}"
            side = "in_features" if ".lora_A." in key else "out_features" if ".lora_B." in key else ""
            wanted = getattr(module, side, None) if side else None
            found = tensors.get_slice(key).get_shape()[1 if side == "in_features" else 0] if side else None
            if wanted is not None and wanted != found:
                return f"{name} has {side} {wanted} in the base and {found} in the adapter"
    return ""
