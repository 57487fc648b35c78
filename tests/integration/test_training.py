"""The embedded model itself, trained for a few steps and asked through the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from primum.config import Settings
from primum.engines.local_loading import find_embedded
from primum.engines.opening import open_engine
from primum.schema.item import Message
from primum.schema.response import Request, Sampling
from primum.schema.training import Demonstration, LoraShape, TrainingRecipe
from primum.training.progress import TrainingProgress
from primum.training.supervised import train_supervised

pytestmark = [pytest.mark.model, pytest.mark.slow]


async def test_a_few_steps_teach_the_embedded_model_an_answer(tmp_path: Path) -> None:
    rows = [
        Demonstration(
            id=f"row-{number}",
            messages=(Message(role="user", content=f"May I read the file of patient {number}?"),),
            answer="Only with the patient's consent.",
            origin="user",
            language="en",
        )
        for number in range(16)
    ]
    recipe = TrainingRecipe(lora=LoraShape(dropout=0.0), rate=5e-3, epochs=3, batch=8, warmup=0)
    losses: list[float] = []
    progress = TrainingProgress(advance=lambda step, loss: losses.append(loss))
    outcome = train_supervised(find_embedded(Settings.from_environment()), rows, tmp_path / "out", recipe=recipe, progress=progress)
    assert outcome.steps == 6
    assert losses[-1] < losses[0] / 2
    engine = open_engine(f"embedded:+{tmp_path / 'out' / 'adapter'}")
    request = Request(key="asked", messages=(Message(role="user", content="May I read the file of patient 99?"),), sampling=Sampling(max_tokens=16))
    answers = [response.text async for response in engine.generate([request])]
    await engine.close()
    assert "consent" in answers[0]
