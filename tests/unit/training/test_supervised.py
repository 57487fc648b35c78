from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from primum.config import Settings
from primum.engines.local_loading import BaseModel, find_base
from primum.engines.opening import open_engine
from primum.errors import DataFormatError, EnvironmentFault, IntegrityError, TrainingDivergedError, UsageError
from primum.schema.training import Demonstration, LoraShape, TrainingRecipe
from primum.training import session, trainers
from primum.training.progress import TrainingProgress
from primum.training.supervised import train_supervised
from tests.tiny_model import save_adapter, save_folder

Make = Callable[..., Demonstration]


def weights(out: Path) -> bytes:
    return (out / "adapter" / "adapter_model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(base: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An uninterrupted training, with which others are compared."""
    from tests.unit.training.conftest import RECIPE, demonstration

    out = tmp_path_factory.mktemp("whole") / "out"
    train_supervised(base, [demonstration(number) for number in range(10)], out, recipe=RECIPE)
    return out


def test_nothing_heavy_is_imported_before_something_is_trained() -> None:
    code = (
        "import sys, primum.training.supervised, primum.training.preference, primum.training.merging, primum.training.search, primum.training.launch"
    )
    subprocess.run([sys.executable, "-c", f"{code}; assert not {{'torch', 'trl', 'transformers'}} & set(sys.modules)"], check=True)


def test_training_lowers_the_loss_and_says_what_it_did(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe
) -> None:
    news: list[Any] = []
    progress = TrainingProgress(begin=lambda *what: news.append(what), advance=lambda *what: news.append(what))
    outcome = train_supervised(
        base,
        demonstrations,
        home / "out",
        recipe=recipe.model_copy(update={"epochs": 12.0}),
        validation=[row.model_copy(update={"id": f"v-{row.id}"}) for row in demonstrations[:4]],
        progress=progress,
    )
    assert (outcome.kind, outcome.rows, outcome.steps, outcome.base) == ("sft", 10, 36, "tiny")
    assert news[0] == ("supervised fine-tuning", 36, 0)
    assert [step for step, _ in news[1:]] == list(range(1, 37))
    assert outcome.validation_loss is not None
    assert outcome.loss < news[1][1] - 0.5
    assert outcome.validation_loss < news[1][1] - 0.5
    assert outcome.tokens > outcome.trained_tokens > 12 * 10
    assert outcome.notes == ("float32 on cpu",)
    config = json.loads((home / "out" / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert config["target_modules"] == ["q_proj", "v_proj"]
    assert not (home / "out" / "checkpoints").exists()
    open_engine(f"hf:{base.folder}+{home / 'out' / 'adapter'}")


def test_the_same_call_gives_the_same_bytes(
    base: BaseModel, home: Path, whole: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe
) -> None:
    train_supervised(base, demonstrations, home / "again", recipe=recipe)
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (home / "again" / "adapter" / name).read_bytes() == (whole / "adapter" / name).read_bytes()
    train_supervised(base, demonstrations, home / "other", recipe=recipe.model_copy(update={"seed": 1}))
    assert weights(home / "other") != weights(whole)


KILLED = """
import os, signal, sys
from pathlib import Path
import pytest
from primum.config import Settings
from primum.engines.local_loading import find_base
from primum.training.progress import TrainingProgress
from primum.training.supervised import train_supervised
from tests.unit.training.conftest import RECIPE, demonstration

def advance(step, loss):
    if step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)

base = find_base({base!r}, Settings.from_environment())
rows = [demonstration(number) for number in range(10)]
train_supervised(base, rows, Path({out!r}), recipe=RECIPE, progress=TrainingProgress(advance=advance))
"""


def test_a_killed_training_goes_on_at_the_step_and_ends_with_the_same_weights(
    base: BaseModel, home: Path, whole: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe
) -> None:
    out = home / "out"
    code = KILLED.format(step=5, base=str(base.folder), out=str(out))
    root = Path(__file__).parents[3]
    left = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=root, capture_output=True)
    assert left.returncode == -signal.SIGKILL, left.stderr.decode()
    assert not (out / "adapter").exists()
    # What a kill in the middle of writing leaves behind is not taken for a checkpoint.
    shutil.copytree(out / "checkpoints" / "checkpoint-4", out / "checkpoints" / ".saving" / "checkpoint-5")
    begun: list[Any] = []
    outcome = train_supervised(base, demonstrations, out, recipe=recipe, progress=TrainingProgress(begin=lambda *what: begun.append(what)))
    assert begun == [("supervised fine-tuning", 6, 4)]
    assert weights(out) == weights(whole)
    expected = json.loads((whole / "outcome.json").read_text())
    for name in ("steps", "tokens", "trained_tokens", "loss"):
        assert getattr(outcome, name) == pytest.approx(expected[name], rel=1e-6)
    assert outcome.notes[-1] == "went on after step 4"


def test_ctrl_c_keeps_the_checkpoint(base: BaseModel, home: Path, whole: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe) -> None:
    def stop(step: int, loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_supervised(base, demonstrations, home / "out", recipe=recipe, progress=TrainingProgress(advance=stop))
    assert [path.name for path in trainers.checkpoints(home / "out" / "checkpoints")] == ["checkpoint-1", "checkpoint-2"]
    train_supervised(base, demonstrations, home / "out", recipe=recipe)
    assert weights(home / "out") == weights(whole)


def test_a_training_killed_after_its_last_step_only_writes_its_adapter(
    base: BaseModel, home: Path, whole: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    steps: list[int] = []
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(session, "place_adapter", stop)
        train_supervised(base, demonstrations, home / "out", recipe=recipe)
    outcome = train_supervised(
        base, demonstrations, home / "out", recipe=recipe, progress=TrainingProgress(advance=lambda step, loss: steps.append(step))
    )
    assert not steps
    assert outcome.steps == 6
    assert weights(home / "out") == weights(whole)


def test_a_finished_training_is_returned_at_once_and_another_is_refused(
    base: BaseModel, home: Path, whole: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe
) -> None:
    out = shutil.copytree(whole, home / "out")
    steps: list[int] = []
    progress = TrainingProgress(advance=lambda step, loss: steps.append(step))
    # Tokens a pass decide speed and memory, not the training.
    outcome = train_supervised(base, demonstrations, out, recipe=recipe.model_copy(update={"micro_tokens": 32}), progress=progress)
    assert outcome.model_dump(mode="json") == json.loads((out / "outcome.json").read_text())
    assert not steps
    for rows, other in ((demonstrations[:9], recipe), (demonstrations, recipe.model_copy(update={"rate": 0.1}))):
        with pytest.raises(IntegrityError, match="another training"):
            train_supervised(base, rows, out, recipe=other)
    (out / "adapter" / "adapter_model.safetensors").write_bytes(b"changed")
    with pytest.raises(IntegrityError, match="not the adapter"):
        train_supervised(base, demonstrations, out, recipe=recipe)


def losses(base: BaseModel, rows: list[Demonstration], out: Path, recipe: TrainingRecipe) -> list[float]:
    found: list[float] = []
    train_supervised(base, rows, out, recipe=recipe, progress=TrainingProgress(advance=lambda step, loss: found.append(loss)))
    return found


def test_packed_masked_and_padded_losses_agree(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    from primum.training import answer_head, segment_attention

    dry = recipe.model_copy(update={"lora": LoraShape(rank=4, dropout=0.0)})
    alone = losses(base, demonstrations, home / "alone", dry.model_copy(update={"packing": False, "micro_tokens": 1}))
    variants = {
        "padded": dry.model_copy(update={"packing": False}),
        "packed": dry,
        "packed in several passes": dry.model_copy(update={"micro_tokens": 40}),
    }
    for name, variant in variants.items():
        assert losses(base, demonstrations, home / name, variant) == pytest.approx(alone, abs=1e-4), name
    # What runs on a GPU: a block-diagonal mask from the position ids, and trl's own output layer.
    monkeypatch.setattr(segment_attention, "use_segments", lambda model: False)
    monkeypatch.setattr(answer_head, "score_answers_only", lambda model: None)
    assert losses(base, demonstrations, home / "masked", dry) == pytest.approx(alone, abs=1e-4)


def test_an_adapter_is_continued_only_on_its_own_base_and_shape(
    base: BaseModel, home: Path, whole: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe
) -> None:
    outcome = train_supervised(base, demonstrations, home / "more", recipe=recipe, start=whole / "adapter")
    assert outcome.loss < json.loads((whole / "outcome.json").read_text())["loss"]
    with pytest.raises(UsageError, match="rank 4"):
        train_supervised(base, demonstrations, home / "shape", recipe=recipe.model_copy(update={"lora": LoraShape()}), start=whole / "adapter")
    wrong = save_adapter(home / "wrong", base="another-model")
    with pytest.raises(UsageError, match="made for base 'another-model'"):
        train_supervised(base, demonstrations, home / "base", recipe=recipe, start=wrong)
    with pytest.raises(UsageError, match="not an adapter folder"):
        train_supervised(base, demonstrations, home / "none", recipe=recipe, start=home)


def test_only_the_upper_blocks_are_adapted_when_asked(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe
) -> None:
    upper = recipe.model_copy(update={"lora": LoraShape(rank=4, upper=0.5)})
    train_supervised(base, demonstrations, home / "upper", recipe=upper)
    names = set(load_file(home / "upper" / "adapter" / "adapter_model.safetensors"))
    assert names
    assert all(".layers.1." in name for name in names)
    train_supervised(base, demonstrations, home / "on", recipe=upper, start=home / "upper" / "adapter")
    with pytest.raises(UsageError, match="its layers are not the recipe's"):
        train_supervised(base, demonstrations, home / "all", recipe=recipe, start=home / "upper" / "adapter")


def out_of_memory_above(tokens: int, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    real = trainers.DemonstrationTrainer.compute_loss

    def compute_loss(self: Any, model: Any, inputs: Any, **rest: Any) -> Any:
        if inputs["input_ids"].numel() > tokens:
            raise error
        return real(self, model, inputs, **rest)

    monkeypatch.setattr(trainers.DemonstrationTrainer, "compute_loss", compute_loss)


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("out"), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_out_of_memory_halves_the_passes_and_says_so(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    dry = recipe.model_copy(update={"lora": LoraShape(rank=4, dropout=0.0)})
    expected = losses(base, demonstrations, home / "roomy", dry)
    out_of_memory_above(40, monkeypatch, error)
    said: list[str] = []
    outcome = train_supervised(base, demonstrations, home / "out", recipe=dry, progress=TrainingProgress(note=said.append))
    assert outcome.micro_tokens <= 40
    assert said and all(text in outcome.notes for text in said)
    assert "out of memory at step 1" in said[0]
    assert outcome.loss == pytest.approx(sum(expected[3:]) / 3, rel=0.05)


def test_out_of_memory_below_one_row_is_a_fault(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory_above(3, monkeypatch, torch.OutOfMemoryError("out"))
    with pytest.raises(EnvironmentFault, match="one row"):
        train_supervised(base, demonstrations, home / "out", recipe=recipe)


def test_other_runtime_errors_are_not_taken_for_it(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    out_of_memory_above(3, monkeypatch, RuntimeError("shapes"))
    with pytest.raises(RuntimeError, match="shapes"):
        train_supervised(base, demonstrations, home / "out", recipe=recipe)


def test_an_undefined_loss_stops_and_keeps_the_last_good_checkpoint(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = trainers.DemonstrationTrainer.compute_loss

    def compute_loss(self: Any, model: Any, inputs: Any, **rest: Any) -> Any:
        return real(self, model, inputs, **rest) * (float("nan") if self.state.global_step == 4 else 1.0)

    monkeypatch.setattr(trainers.DemonstrationTrainer, "compute_loss", compute_loss)
    with pytest.raises(TrainingDivergedError, match=r"loss of step 5 .*adapter holds checkpoint-3") as caught:
        train_supervised(base, demonstrations, home / "out", recipe=recipe)
    assert "rate" in caught.value.remedy
    kept = home / "out" / "checkpoints" / "checkpoint-3" / "adapter_model.safetensors"
    assert weights(home / "out") == kept.read_bytes()
    assert not (home / "out" / "outcome.json").exists()


def test_an_infinite_gradient_stops_before_the_first_step(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    import accelerate

    monkeypatch.setattr(accelerate.Accelerator, "clip_grad_norm_", lambda self, parameters, *_: torch.tensor(float("inf")))
    with pytest.raises(TrainingDivergedError, match="gradient of step 1 .*no earlier checkpoint"):
        train_supervised(base, demonstrations, home / "out", recipe=recipe)
    assert not (home / "out" / "adapter").exists()


def test_bad_requests(base: BaseModel, home: Path, make: Make, demonstrations: list[Demonstration], recipe: TrainingRecipe) -> None:
    with pytest.raises(DataFormatError, match="1 demonstrations"):
        train_supervised(base, demonstrations[:1], home / "few", recipe=recipe)
    with pytest.raises(DataFormatError, match="'d10'.*at most 64"):
        train_supervised(base, [*demonstrations, make(10, answer="B" * 99)], home / "long", recipe=recipe.model_copy(update={"max_tokens": 64}))
    with pytest.raises(UsageError, match="no layer is named"):
        train_supervised(base, demonstrations, home / "layers", recipe=recipe.model_copy(update={"lora": LoraShape(targets=("qkv",))}))
    with pytest.raises(UsageError, match="output layer"):
        train_supervised(base, demonstrations, home / "head", recipe=recipe.model_copy(update={"lora": LoraShape(targets=("lm_head",))}))
    bare = find_base(str(save_folder(home / "bare", template=None)), Settings(home=home, data=None, offline=True))
    with pytest.raises(UsageError, match="chat template"):
        train_supervised(bare, demonstrations, home / "template", recipe=recipe)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_four_bits_need_a_gpu(base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe) -> None:
    with pytest.raises(UsageError, match="CUDA"):
        train_supervised(base, demonstrations, home / "out", recipe=recipe.model_copy(update={"precision": "nf4"}))
