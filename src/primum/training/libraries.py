"""The libraries of training: imported only when something is trained, kept quiet, and kept from calling home."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any, Final

from primum.engines.local_extra import import_extra
from primum.errors import MissingExtraError

_LOUD: Final = ("accelerate", "datasets", "peft", "trl", "torch.distributed")


def import_trl() -> Any:
    """Import trl.

    Raises:
        MissingExtraError: The ``train`` extra is not installed.
    """
    import_extra("torch")
    try:
        import trl
    except ImportError as error:
        raise MissingExtraError(f"training needs trl (failed at {error.name or 'trl'})", remedy='pip install "primum[train]"') from error
    return trl


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No bars, advice or telemetry from the libraries; warnings are theirs, what matters is said through progress."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_trl()
        datasets, modelling = import_extra("datasets"), import_extra("transformers").utils.logging
        levels = {name: logging.getLogger(name).level for name in _LOUD}
        verbosity, bars = modelling.get_verbosity(), modelling.is_progress_bar_enabled()
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.ERROR)
        modelling.set_verbosity_error()
        modelling.disable_progress_bar()
        datasets.disable_progress_bars()
        try:
            yield
        finally:
            modelling.set_verbosity(verbosity)
            if bars:
                modelling.enable_progress_bar()
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
