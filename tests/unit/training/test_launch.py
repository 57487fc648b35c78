from __future__ import annotations

import importlib.resources
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file

from primum.engines.local_loading import BaseModel
from primum.schema.training import Demonstration, Preference, TrainingRecipe
from primum.training.launch import main
from primum.training.supervised import train_supervised

CONFIGS = importlib.resources.files("primum") / "data" / "accelerate"


def write_spec(folder: Path, base: BaseModel, rows: list[Demonstration] | list[Preference], **changes: object) -> Path:
    (folder / "data.jsonl").write_text("".join(row.model_dump_json() + "\n" for row in rows))
    spec = {"kind": "sft", "base": str(base.folder), "data": "data.jsonl", "out": "out", **changes}
    (folder / "spec.json").write_text(json.dumps(spec))
    return folder / "spec.json"


@pytest.mark.parametrize(("name", "kind", "processes"), [("one_gpu", "NO", 1), ("two_gpus", "MULTI_GPU", 2), ("fsdp", "FSDP", 4)])
def test_accelerate_reads_the_configurations(name: str, kind: str, processes: int) -> None:
    config = load_config_from_file(str(CONFIGS / f"{name}.yaml"))
    assert config.distributed_type == kind
    assert config.num_processes == processes
    assert config.mixed_precision == "bf16"


def test_a_specification_is_trained(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = write_spec(home, base, demonstrations, recipe=recipe.model_dump(mode="json"), validation="data.jsonl")
    assert main(["--spec", str(spec)]) == 0
    captured = capsys.readouterr()
    outcome = json.loads(captured.out)
    assert outcome["steps"] == 6
    assert outcome["validation_loss"] > 0
    assert "step 6: loss" in captured.err


def test_preferences_go_on_from_the_start(
    base: BaseModel, home: Path, preferences: list[Preference], demonstrations: list[Demonstration], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--spec", str(write_spec(home, base, demonstrations))]) == 0
    spec = write_spec(home, base, preferences, kind="preferences", start="out/adapter", out="dpo")
    assert main(["--spec", str(spec)]) == 0
    assert json.loads((home / "dpo" / "outcome.json").read_text())["kind"] == "dpo"


def test_bad_specifications_are_named(base: BaseModel, home: Path, demonstrations: list[Demonstration], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--spec", str(home / "none.json")]) == 2
    (home / "broken.json").write_text("{")
    assert main(["--spec", str(home / "broken.json")]) == 2
    assert main(["--spec", str(write_spec(home, base, demonstrations, kin="sft"))]) == 2
    assert "no such key" in capsys.readouterr().err
    spec = write_spec(home, base, demonstrations)
    with (home / "data.jsonl").open("a") as handle:
        handle.write('{"id": "x", "messages": []}\n')
    assert main(["--spec", str(spec)]) == 2
    assert "data.jsonl:11" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_accelerate_launches_it_on_the_cpu(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, processes: int
) -> None:
    dry = recipe.model_copy(update={"lora": recipe.lora.model_copy(update={"dropout": 0.0})})
    alone = train_supervised(base, demonstrations, home / "alone", recipe=dry)
    spec = write_spec(home, base, demonstrations, recipe=dry.model_dump(mode="json"))
    command = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", str(processes), "--num_machines", "1"]
    command += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0", "-m", "primum.training.launch", "--spec", str(spec)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    outcome = json.loads(done.stdout[done.stdout.index("{") :])
    assert (outcome["steps"], outcome["rows"], outcome["tokens"]) == (6, 10, alone.tokens)
    # Several processes share each batch, and learn what one process learns from it.
    assert outcome["loss"] == pytest.approx(alone.loss, rel=1e-4)
