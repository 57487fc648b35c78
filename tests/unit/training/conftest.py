"""A tiny random model as a base, and rows to train it on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from primum.config import Settings
from primum.engines.local_loading import BaseModel, find_base
from primum.schema.item import Message
from primum.schema.training import Demonstration, LoraShape, Preference, TrainingRecipe
from tests.tiny_model import save_folder

RECIPE = TrainingRecipe(lora=LoraShape(rank=4, dropout=0.1), batch=4, rate=1e-2, epochs=2, warmup=0)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Equal bytes need equal threads, here and in the processes that tests start; other tests may have set two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    home = tmp_path_factory.mktemp("training")
    return find_base(str(save_folder(home / "tiny")), Settings(home=home, data=None, offline=True))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PRIMUM_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def demonstrations() -> list[Demonstration]:
    return [demonstration(number) for number in range(10)]


@pytest.fixture
def preferences() -> list[Preference]:
    rows = [demonstration(number) for number in range(6)]
    return [
        Preference(id=row.id, messages=row.messages, chosen=row.answer, rejected=f"CA {row.answer}", origin="user", language="en") for row in rows
    ]


def demonstration(number: int, **changes: object) -> Demonstration:
    values = {
        "id": f"d{number}",
        "messages": (Message(role="user", content=f"Q {number}" + "A" * (number % 7)),),
        "answer": "B" * (1 + number % 5) + f" {number}",
        "origin": "user",
        "language": "en",
        "norm": f"source/{number // 2}",
    }
    return Demonstration.model_validate({**values, **changes})


@pytest.fixture
def make() -> Callable[..., Demonstration]:
    return demonstration


@pytest.fixture
def recipe() -> TrainingRecipe:
    return RECIPE
