from __future__ import annotations

import builtins
import logging
import warnings
from typing import Any

import pytest
import transformers

from primum.errors import MissingExtraError
from primum.training.libraries import import_trl, quiet


def test_trl_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any, **named: Any) -> Any:
        if name == "trl":
            raise ImportError("no trl", name="trl")
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtraError, match="needs trl") as caught:
        import_trl()
    assert "primum[train]" in caught.value.remedy


def test_the_libraries_speak_again_afterwards() -> None:
    before = transformers.utils.logging.get_verbosity(), logging.getLogger("trl").level
    with quiet():
        assert transformers.utils.logging.get_verbosity() == transformers.logging.ERROR
        warnings.warn("not an error here", FutureWarning, stacklevel=1)
    assert (transformers.utils.logging.get_verbosity(), logging.getLogger("trl").level) == before
