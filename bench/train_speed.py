"""LoRA training on the CPU: Primum's beside trl's SFTTrainer with its defaults, on the same demonstrations, rank, targets, batch, rate and epochs.

Each contestant is a process of its own, interleaved round by round; model loading and tokenising are not counted. Tokens are those of the
demonstrations, without padding. Both adapters are then measured on the same unseen demonstrations by the same code.

usage: python bench/train_speed.py [--data DIR] [--demos 160] [--validation 40] [--rounds 3] [--write]
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from measure import OUT, ROOT, run_measured, spread
from report import Ratio, Section, Table, progress, save_section

LORA = {"rank": 8, "alpha": 16, "dropout": 0.05, "targets": ["q_proj", "v_proj"]}
RATE, BATCH = 1e-3, 16
CONTESTANTS = ("primum", "trl", "trl float32")


def main() -> None:
    """Run the rounds, or one contestant in this process."""
    wanted = _arguments()
    if wanted.contestant:
        _one(wanted)
        return
    folder = wanted.data / "medsafetybench" / "train"
    if not folder.is_dir():
        sys.stderr.write(f"bench: training comparison left out: needs {folder}\n")
        return
    OUT.mkdir(exist_ok=True)
    rows = _demonstrations(folder, wanted.demos + wanted.validation)
    (OUT / "train-rows.json").write_text(json.dumps({"train": rows[: wanted.demos], "validation": rows[wanted.demos :]}))
    contestants = [name for name in CONTESTANTS if name != "trl" or not wanted.skip_bfloat16]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for number in range(1, wanted.rounds + 1):
        for name in contestants:
            result = OUT / f"train-{name.replace(' ', '-')}.json"
            command = [sys.executable, __file__, "--contestant", name, "--result", result, "--epochs", str(wanted.epochs)]
            measured = run_measured(command, OUT / f"train-{name.replace(' ', '-')}.log")
            found[name].append({**json.loads(result.read_text()), "rss_mb": measured.rss_mb})
            progress(f"training round {number}: {name}, {found[name][-1]}")
    result = OUT / "train-generation.json"
    run_measured(
        [sys.executable, __file__, "--contestant", "generation", "--generated", str(wanted.generated), "--result", result],
        OUT / "train-generation.log",
    )
    section = _section(found, json.loads(result.read_text()), wanted)
    if wanted.write:
        save_section("training", section)
    else:
        for name, value, _, _ in section.ratios:
            sys.stdout.write(f"{name}: {value}\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("PRIMUM_DATA") or ROOT.parent / "shared" / "data"))
    parser.add_argument("--demos", type=int, default=160)
    parser.add_argument("--validation", type=int, default=40)
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-bfloat16", action="store_true", help="leave out trl's own default arithmetic: minutes a step on most CPUs")
    parser.add_argument("--generated", type=int, default=32, help="tokens of each generated answer")
    parser.add_argument("--write", action="store_true", help="rewrite the section of docs/performance.md")
    parser.add_argument("--contestant", default="", help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, default=OUT / "train.json", help=argparse.SUPPRESS)
    return parser.parse_args()


def _demonstrations(folder: Path, count: int) -> list[dict[str, str]]:
    """The first rows of every file in turn, so that all principles and both origins are there."""
    tables = [list(csv.DictReader(path.open(encoding="utf-8"))) for path in sorted(folder.glob("*/*.csv"))]
    rows = [table[place] for place in range(max(map(len, tables))) for table in tables if place < len(table)]
    return [{"request": row["harmful_medical_request"], "answer": row["safe_response"]} for row in rows[:count]]


def _one(wanted: argparse.Namespace) -> None:
    warnings.simplefilter("ignore")
    if wanted.contestant == "generation":
        wanted.result.write_text(json.dumps(asyncio.run(_generation(wanted.generated))))
        return
    rows = json.loads((OUT / "train-rows.json").read_text())
    adapter = OUT / f"train-{wanted.contestant.replace(' ', '-')}"
    train = _primum if wanted.contestant == "primum" else _trl
    found = train(rows["train"], adapter, wanted)
    found["validation_loss"] = _validation_loss(rows["validation"], adapter / "adapter")
    wanted.result.write_text(json.dumps(found))


def _records(rows: list[dict[str, str]]) -> list[Any]:
    from primum.schema.item import Message
    from primum.schema.training import Demonstration

    return [
        Demonstration(
            id=f"msb-{number}",
            messages=(Message(role="user", content=row["request"]),),
            answer=row["answer"],
            origin="medsafetybench",
            language="en",
        )
        for number, row in enumerate(rows)
    ]


def _primum(rows: list[dict[str, str]], out: Path, wanted: argparse.Namespace) -> dict[str, float]:
    import shutil

    from primum.config import Settings
    from primum.engines.local_loading import find_embedded
    from primum.schema.training import LoraShape, TrainingRecipe
    from primum.training.progress import TrainingProgress
    from primum.training.supervised import train_supervised

    shutil.rmtree(out, ignore_errors=True)
    cpu: list[float] = []
    progress = TrainingProgress(begin=lambda title, steps, done: cpu.append(time.process_time()))
    recipe = TrainingRecipe(lora=LoraShape(**LORA), rate=RATE, epochs=wanted.epochs, batch=BATCH, warmup=0)
    outcome = train_supervised(find_embedded(Settings.from_environment()), _records(rows), out, recipe=recipe, progress=progress)
    return {"tokens": outcome.tokens, "seconds": outcome.seconds, "cpu_s": time.process_time() - cpu[0]}


def _trl(rows: list[dict[str, str]], out: Path, wanted: argparse.Namespace) -> dict[str, float]:
    """trl's own defaults for everything that the comparison does not fix; ``float32`` also turns its bfloat16 autocast off."""
    from primum.engines.local_extra import import_extra

    import_extra("torch")  # with the thread settings that Primum uses too
    import trl
    from datasets import Dataset
    from peft import LoraConfig

    arguments = {"bf16": False} if wanted.contestant == "trl float32" else {}
    # Without use_cpu its defaults stop with an error on a machine without a GPU.
    turns = [{"prompt": [_turn("user", row["request"])], "completion": [_turn("assistant", row["answer"])]} for row in rows]
    trainer = trl.SFTTrainer(
        model=str(_base_folder()),
        args=trl.SFTConfig(
            output_dir=str(out),
            learning_rate=RATE,
            num_train_epochs=wanted.epochs,
            gradient_accumulation_steps=BATCH // 8,
            use_cpu=True,
            save_strategy="no",
            report_to=[],
            **arguments,
        ),
        train_dataset=Dataset.from_list(turns),
        peft_config=LoraConfig(
            r=LORA["rank"], lora_alpha=LORA["alpha"], lora_dropout=LORA["dropout"], target_modules=LORA["targets"], task_type="CAUSAL_LM"
        ),
    )
    tokens = sum(len(ids) for ids in trainer.train_dataset["input_ids"]) * wanted.epochs
    started, cpu = time.monotonic(), time.process_time()
    trainer.train()
    seconds, spent = time.monotonic() - started, time.process_time() - cpu
    trainer.model.save_pretrained(out / "adapter", save_embedding_layers=False)
    return {"tokens": tokens, "seconds": seconds, "cpu_s": spent}


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _base_folder() -> Path:
    from primum.config import Settings
    from primum.engines.local_loading import find_embedded

    return find_embedded(Settings.from_environment()).folder


def _validation_loss(rows: list[dict[str, str]], adapter: Path) -> float:
    """Nats an answer token, row by row through the plain model: neither contestant's own code."""
    import peft
    import torch
    import transformers

    from primum.training.rows import RowEncoder

    folder = _base_folder()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = peft.PeftModel.from_pretrained(model, adapter).merge_and_unload().eval()
    encoder = RowEncoder(tokenizer, stop_ids=frozenset({tokenizer.eos_token_id}), max_tokens=2048)
    total, count = 0.0, 0
    with torch.inference_mode():
        for row in encoder.demonstrations(_records(rows)):
            logits = model(torch.tensor([[*row.prompt, *row.answer]]), logits_to_keep=len(row.answer) + 1).logits[0, :-1]
            total += float(torch.nn.functional.cross_entropy(logits.float(), torch.tensor(row.answer), reduction="sum"))
            count += len(row.answer)
    return total / count


async def _generation(generated: int) -> dict[str, list[float]]:
    """Tokens a second of the base and of the merged aligned model, interleaved, on benign questions with answers of fixed length."""
    import shutil

    from primum.config import Settings
    from primum.engines.local_loading import find_embedded
    from primum.engines.opening import open_engine
    from primum.schema.item import Message
    from primum.schema.response import Request, Sampling
    from primum.training.merging import merge

    base = find_embedded(Settings.from_environment())
    merged = OUT / "train-merged"
    shutil.rmtree(merged, ignore_errors=True)
    merge(base, OUT / "train-primum" / "adapter", merged)
    engines = {"base": open_engine("embedded"), "merged": open_engine(f"hf:{merged}")}
    found: dict[str, list[float]] = {name: [] for name in engines}
    for number in range(4):
        for name, engine in engines.items():
            asked = [
                Request(
                    key=f"{number}-{n}",
                    messages=(Message(role="user", content=f"Tell me at length about vitamin {letter}, round {number}."),),
                    sampling=Sampling(max_tokens=generated),
                )
                for n, letter in enumerate("ABCDEFGH")
            ]
            started, tokens = time.monotonic(), 0
            async for response in engine.generate(asked):
                tokens += response.usage.completion_tokens
            if number:  # the first is for warming up
                found[name].append(tokens / (time.monotonic() - started))
    for engine in engines.values():
        await engine.close()
    return found


def _section(found: dict[str, list[dict[str, float]]], generation: dict[str, list[float]], wanted: argparse.Namespace) -> Section:
    ours = found["primum"]
    ratios: list[Ratio] = []
    for name in [name for name in found if name != "primum"]:
        pairs = list(zip(ours, found[name], strict=True))
        speed = spread([_speed(a) / _speed(b) for a, b in pairs])
        work = spread([(a["tokens"] / a["cpu_s"]) / (b["tokens"] / b["cpu_s"]) for a, b in pairs])
        loss = spread([a["validation_loss"] / b["validation_loss"] for a, b in pairs])
        ratios += [
            (f"tokens/s over {name}", speed, "at least 2", speed["median"] >= 2),
            (f"tokens a CPU second over {name}", work, "none", True),
            (f"validation loss over {name}'s", loss, "at most 1.02", loss["median"] <= 1.02),
        ]
    ratio = spread([a / b for a, b in zip(generation["merged"], generation["base"], strict=True)])
    ratios.append(("generation, tokens/s: merged aligned model over the base", ratio, "at least 0.95", ratio["median"] >= 0.95))
    table = Table(
        title="What each contestant did (median)",
        columns=("contestant", "tokens", "tokens/s", "tokens a CPU second", "validation loss", "peak memory, MiB"),
        rows=[
            (
                name,
                int(runs[0]["tokens"]),
                f"{statistics.median(map(_speed, runs)):.1f}",
                f"{statistics.median(run['tokens'] / run['cpu_s'] for run in runs):.1f}",
                f"{statistics.median(run['validation_loss'] for run in runs):.4f}",
                f"{statistics.median(run['rss_mb'] for run in runs):.0f}",
            )
            for name, runs in found.items()
        ],
    )
    text = (
        f"LoRA (rank 8, query and value projections) on SmolLM2-135M, {wanted.demos} MedSafetyBench demonstrations, {wanted.epochs:g} epoch(s),"
        f" batches of {BATCH}, rate {RATE:g}; validation on {wanted.validation} other demonstrations by code that is neither's. `trl` has its"
        " defaults and `use_cpu` (bfloat16 autocast, gradient checkpointing, padding); `trl float32` has its autocast turned off, which its"
        " defaults do not do. Loading and tokenising are not counted. Tokens a CPU second are steadier than tokens a second on a machine that"
        " does other work."
    )
    skipped = " --skip-bfloat16" if wanted.skip_bfloat16 else ""
    command = f"python bench/train_speed.py --demos {wanted.demos} --validation {wanted.validation} --rounds {wanted.rounds}{skipped}"
    return Section(title="Training", text=text, ratios=ratios, tables=[table], command=command, data={"rounds": found, "generation": generation})


def _speed(run: dict[str, float]) -> float:
    return run["tokens"] / run["seconds"]


if __name__ == "__main__":
    main()
