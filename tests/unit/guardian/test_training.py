"""A miniature training: it writes a guardian that loads, the same one each time, interrupted or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from primum.errors import InputError
from primum.guardian.guardian import Guardian
from primum.guardian.training import CHECKPOINT, Recipe, TrainingProgress, train_guardian
from primum.guardian.weights import CARD, WEIGHTS, GuardianCard
from primum.schema.guardian import Exchange
from tests.guardian_factory import synthetic_material

MATERIAL = synthetic_material()
RECIPE = Recipe(seed=5, epochs=2, batch=64)


class Interrupted(Exception):
    """Raised where a person would press Ctrl-C."""


@pytest.fixture(scope="module", autouse=True)
def _settings_of_torch_stay_here() -> Iterator[None]:
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GuardianCard, list[str]]:
    out = tmp_path_factory.mktemp("trained") / "model"
    told: list[str] = []
    progress = TrainingProgress(begin=lambda title, steps: told.append(title), advance=lambda: None)
    card, seconds = train_guardian(MATERIAL, out, RECIPE, progress)
    assert seconds > 0
    return out, card, told


@pytest.mark.slow
def test_a_guardian_is_written_that_loads_and_judges(trained: tuple[Path, GuardianCard, list[str]]) -> None:
    out, card, told = trained
    guardian = Guardian.load(out)
    assert guardian.card == card
    assert sorted(path.name for path in out.iterdir()) == [CARD, WEIGHTS]
    assert told == ["epoch 1 of 2", "epoch 2 of 2", "fuse and calibrate"]
    assert (card.origin.seed, card.origin.epochs, card.origin.trained >= 200) == (5, 2, True)
    exchanges = [Exchange(prompt=e.exchange.prompt, answer=e.exchange.answer) for e in MATERIAL[:200]]
    verdicts = guardian.judge(exchanges)
    right = sum((v.risk > 0.5) == e.risky for v, e in zip(verdicts, MATERIAL, strict=False))
    assert right > 180, "texts this plain are told apart after two epochs"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_interrupted_or_not(tmp_path: Path, trained: tuple[Path, GuardianCard, list[str]]) -> None:
    _, wanted, _ = trained
    begun: list[str] = []

    def advance() -> None:
        if begun[-1] == "epoch 2 of 2":
            raise Interrupted

    with pytest.raises(Interrupted):
        train_guardian(MATERIAL, tmp_path, RECIPE, TrainingProgress(begin=lambda title, steps: begun.append(title), advance=advance))
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]
    begun.clear()
    card, _ = train_guardian(MATERIAL, tmp_path, RECIPE, TrainingProgress(begin=lambda title, steps: begun.append(title)))
    assert begun == ["epoch 2 of 2", "fuse and calibrate"], "the first epoch was not done again"
    assert card.origin.weights_sha256 == wanted.origin.weights_sha256
    assert card == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == [CARD, WEIGHTS]


@pytest.mark.slow
def test_another_recipe_does_not_go_on_from_a_checkpoint(tmp_path: Path, trained: tuple[Path, GuardianCard, list[str]]) -> None:
    begun: list[str] = []

    def advance() -> None:
        if begun[-1] == "epoch 2 of 2":
            raise Interrupted

    progress = TrainingProgress(begin=lambda title, steps: begun.append(title), advance=advance)
    with pytest.raises(Interrupted):
        train_guardian(MATERIAL, tmp_path, RECIPE, progress)
    begun.clear()
    with pytest.raises(Interrupted):
        train_guardian(MATERIAL, tmp_path, Recipe(seed=6, epochs=2, batch=64), progress)
    assert begun == ["epoch 1 of 2", "epoch 2 of 2"]


@pytest.mark.parametrize("part", ["few", "one class"])
def test_too_little_material(tmp_path: Path, part: str) -> None:
    material = MATERIAL[:300] if part == "few" else [e for e in MATERIAL * 2 if not e.risky]
    with pytest.raises(InputError, match="labelled exchanges to") as refused:
        train_guardian(material, tmp_path, RECIPE)
    assert "200" in refused.value.message and refused.value.remedy
    assert list(tmp_path.iterdir()) == []
