"""Merging an adapter into its base: a model folder that every tool opens, and that llama.cpp converts."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Final

from primum.config import Settings
from primum.engines.local_extra import import_extra
from primum.engines.local_loading import BaseModel, load
from primum.engines.local_options import LocalOptions
from primum.errors import IntegrityError
from primum.runs.layout import read_json, write_json
from primum.training.folder import adapter_digest
from primum.training.libraries import quiet

_MERGED: Final = "merged.json"


def merge(base: BaseModel, adapter: Path, out: Path) -> Path:
    """Write base and adapter as one model: safetensors, config and tokenizer; opens as ``hf:OUT``.

    Added in float32 and stored in the base's own arithmetic, so that the result is as large and as fast as the base. What rounding to bfloat16
    changes is less than what the base's own rounding was.

    Args:
        base: What the adapter was trained on.
        adapter: Its folder.
        out: The folder to write; a merge of the same two that is there already is returned.

    Raises:
        UsageError: No adapter there, or one for another base.
        IntegrityError: ``out`` holds something else.
    """
    parts = {"base_sha256": base.fingerprint, "adapter_sha256": adapter_digest(adapter)}
    if out.exists() and any(out.iterdir()):
        if not (out / _MERGED).is_file() or read_json(out / _MERGED) != parts:
            raise IntegrityError(f"{out}: holds something else than this merge", remedy="give another folder, or remove this one")
        return out
    with quiet():
        torch = import_extra("torch")
        options = LocalOptions(dtype="float32", device="cpu")
        settings = Settings.from_environment()
        loaded = load(base, uri=f"hf:{base.folder}+{adapter}", adapter=str(adapter), options=options, settings=settings)
        model = loaded.model.to(getattr(torch, _stored_dtype(base.folder)))
        scratch = out.with_name(f".{out.name}.{os.getpid()}.tmp")
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            model.save_pretrained(scratch)
            loaded.tokenizer.save_pretrained(scratch)
            write_json(scratch / _MERGED, parts)
            if out.exists():
                out.rmdir()
            scratch.rename(out)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return out


def _stored_dtype(folder: Path) -> str:
    config: dict[str, Any] = read_json(folder / "config.json")
    named = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    return named if named in {"float32", "bfloat16", "float16"} else "float32"
