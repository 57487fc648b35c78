"""Drift on a tiny model: nothing for an adapter that does nothing, something for one that does."""

from __future__ import annotations

from pathlib import Path

import pytest

from primum.alignment.drift import Ordinary, PromptDrift, find_trained_base, measure_drift, summarise_drift
from primum.config import Settings
from primum.engines.local_loading import find_base
from primum.errors import UsageError
from primum.schema.certificate import CertificateRules
from primum.schema.item import Message
from tests.tiny_model import save_adapter, save_folder

RULES = CertificateRules()


def ordinary(count: int = 4) -> list[Ordinary]:
    return [
        Ordinary(f"i{n}#0", "en", (Message(role="user", content=f"How is form {n} filled in?"),), f"Write the date on line {n}, then sign it.")
        for n in range(count)
    ]


def test_an_adapter_that_moves_the_model_is_seen_in_both_directions(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", data=None, offline=True)
    folder = save_folder(tmp_path / "base")
    base, adapter = find_base(str(folder), settings), save_adapter(tmp_path / "adapter", base="base")
    steps: list[int] = []
    found = measure_drift(base, adapter, ordinary(), rules=RULES, settings=settings, tokens=12, advance=lambda: steps.append(1))
    assert found.prompts == 4 and found.tokens == 48 and len(steps) == 8 and found.languages == {"en": 4}
    assert len(found.adapter_sha256) == 64 and found.missing is None
    for estimate in (found.forward, found.backward):
        assert estimate is not None and estimate.value is not None and estimate.low is not None and 0 < estimate.low <= estimate.value
    again = measure_drift(base, adapter, ordinary(), rules=RULES, settings=settings, tokens=12)
    assert again == found


def test_no_drift_is_zero_and_nothing_read_is_said() -> None:
    same = [PromptDrift("zh", 5, 0.0, 0.0, 1.0)] * 3
    found = summarise_drift(same, RULES)
    assert found.forward is not None and found.forward.value == 0 and found.agreement is not None and found.agreement.value == 1
    assert summarise_drift([], RULES).missing is not None


def test_a_model_without_weights_here() -> None:
    with pytest.raises(UsageError, match="no weights on this machine"):
        find_trained_base("openai:m@http://127.0.0.1:1", Settings(home=Path("home"), data=None, offline=True))
