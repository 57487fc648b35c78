"""Letters weighed by a local model: Primum's engine beside lm-evaluation-harness, on the same strings.

Questions are real ones (MMLU's medical subsets), read in place from the outside data folder. lm-eval runs with the best of several batch sizes.
Reduced precision is slow on a CPU without its instructions, so those runs ask fewer items, once.

usage: python bench/compare_local.py [--model DIR] [--data DIR] [--zero-shot 300] [--five-shot 150] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from items import exam, write_rows
from local_contestants import LETTERS, Question, Weighed, samples, task_file, weigh_lm_eval, weigh_primum
from measure import OUT, ROOT, spread
from report import Ratio, Section, Table, progress, save_section

SHOTS = 5
BARS = {0: 1.5, SHOTS: 4.0}
AGREEMENT = 0.99
Runs = dict[tuple[str, int], list[Weighed]]


def main() -> None:
    """Run the rounds, print the tables and keep them in ``docs/performance.md``."""
    wanted = _arguments()
    if not (wanted.data / "medical_exams").is_dir() or not (wanted.model / "model.safetensors").exists():
        sys.stderr.write(
            f"bench: local comparison left out: needs {wanted.data}/medical_exams and {wanted.model} (primum models pull smollm2-135m)\n"
        )
        return
    questions = {shots: _question(wanted.data, shots, n) for shots, n in ((0, wanted.zero_shot), (SHOTS, wanted.five_shot))}
    best = {shots: _best_batch(question, wanted) for shots, question in questions.items()}
    runs: Runs = {}
    for round_number in range(1, wanted.rounds + 1):
        for shots, question in questions.items():
            _keep(runs, "primum float32", weigh_primum(question, wanted.model, "float32"), round_number)
            _keep(runs, "lm-eval float32", weigh_lm_eval(question, wanted.model, "float32", best[shots]), round_number)
            _check_strings(question)
    for shots, few in ((0, wanted.few), (SHOTS, max(4, wanted.few // 4))):
        question = _question(wanted.data, shots, few)
        _keep(runs, "primum as it comes", weigh_primum(question, wanted.model, "auto"), 1)
        _keep(runs, "primum bfloat16", weigh_primum(question, wanted.model, "bfloat16"), 1)
        _keep(runs, "lm-eval bfloat16", weigh_lm_eval(question, wanted.model, "bfloat16", best[shots]), 1)
    save_section("local", _section(runs, best))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    home = Path(os.environ.get("PRIMUM_HOME") or Path.home() / ".primum")
    parser.add_argument("--model", type=Path, default=home / "models" / "smollm2-135m")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("PRIMUM_DATA") or ROOT.parent / "shared" / "data"))
    parser.add_argument("--zero-shot", type=int, default=300)
    parser.add_argument("--five-shot", type=int, default=150)
    parser.add_argument("--few", type=int, default=40, help="items of the reduced-precision runs (a quarter of it with worked examples)")
    parser.add_argument("--batch-sizes", default="1,8,16,32", help="for lm-eval; its 'auto' may be named too")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def _question(data: Path, shots: int, n: int) -> Question:
    rows = [{**row, "context": _context(row)} for row in islice(exam(data), SHOTS + n)]
    examples = write_rows(OUT / "local-shots.jsonl", iter(rows[:SHOTS]))
    return Question(write_rows(OUT / f"local-{n}.jsonl", iter(rows[SHOTS:])), examples, shots, len(rows) - SHOTS)


def _context(row: dict[str, Any]) -> str:
    """What ``peers/primum_local.yaml`` makes of an item, up to the blank before the letter, which belongs to the letter's token."""
    lines = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, row["options"], strict=True))
    return f"\n\n{row['question']}\n{lines}\nAnswer:"


def _best_batch(question: Question, wanted: argparse.Namespace) -> str:
    """lm-eval's quickest batch size on a part of the items."""
    part = _question(wanted.data, question.shots, 32 if question.shots == 0 else 12)
    speeds = {size: weigh_lm_eval(part, wanted.model, "float32", size).items_per_s for size in wanted.batch_sizes.split(",")}
    progress(f"local {question.shots}-shot: lm-eval items/s by batch size: " + ", ".join(f"{size}: {speed:.2f}" for size, speed in speeds.items()))
    return max(speeds, key=lambda size: speeds[size])


def _keep(runs: Runs, name: str, run: Weighed, round_number: int) -> None:
    runs.setdefault((name, run.question.shots), []).append(run)
    progress(f"local round {round_number}: {name} {run.question.shots}-shot, {run.question.n} items, {run.items_per_s:.2f} items/s")


def _check_strings(question: Question) -> None:
    """lm-eval's last run must have weighed exactly the strings that Primum's task builds."""
    from primum.tasks.opening import open_task

    task = open_task(f"custom:{task_file(question)}")
    shots = task.shots(None, "en", question.shots)
    sent = {row["doc"]["id"]: row["arguments"] for row in samples()}
    for item in task.items(None, "en"):
        text = "".join(message.content for message in task.prompt(item, shots))
        for index, letter in enumerate(LETTERS):
            given = sent[item.id][f"gen_args_{index}"]
            if given["arg_0"] + given["arg_1"] != text + letter or given["arg_0"] != text.rstrip():
                raise RuntimeError(f"item {item.id}: the two harnesses weigh different strings")


def _agreement(a: Weighed, b: Weighed) -> float:
    """Share of items on which both chose the same letter; an item that one of them did not answer counts against it."""
    if len(b.chosen) != b.question.n:
        raise RuntimeError(f"lm-eval answered {len(b.chosen)} of {b.question.n} items")
    return sum(a.chosen.get(item) == letter for item, letter in b.chosen.items()) / len(b.chosen)


def _over(runs: Runs, a: str, b: str, shots: int, speed: Callable[[Weighed], float]) -> dict[str, float]:
    return spread([speed(x) / speed(y) for x, y in zip(runs[a, shots], runs[b, shots], strict=True)])


def _section(runs: Runs, best: dict[int, str]) -> Section:
    ratios: list[Ratio] = []
    for shots, name in ((0, "zero-shot"), (SHOTS, "five-shot")):
        after = _over(runs, "primum float32", "lm-eval float32", shots, lambda run: run.items_per_s)
        whole = _over(runs, "primum float32", "lm-eval float32", shots, lambda run: run.whole_items_per_s)
        against = _over(runs, "primum as it comes", "lm-eval bfloat16", shots, lambda run: run.items_per_s)
        same = _over(runs, "primum bfloat16", "lm-eval bfloat16", shots, lambda run: run.items_per_s)
        agreement = spread([_agreement(a, b) for a, b in zip(runs["primum float32", shots], runs["lm-eval float32", shots], strict=True)])
        reduced = spread([_agreement(a, b) for a, b in zip(runs["primum bfloat16", shots], runs["lm-eval bfloat16", shots], strict=True)])
        bar = BARS[shots]
        ratios += [
            (f"{name}: items/s after load, Primum over lm-eval float32", after, "none", True),
            (f"{name}: the same, whole process", whole, "none", True),
            (f"{name}: items/s after load, Primum as it comes over lm-eval bfloat16", against, f"at least {bar:g}", against["median"] >= bar),
            (f"{name}: the same, Primum told to compute in bfloat16 too", same, "none", True),
            (f"{name}: same option chosen, both float32", agreement, f"at least {AGREEMENT:g}", agreement["min"] >= AGREEMENT),
            (f"{name}: same option chosen, both bfloat16", reduced, "none", True),
        ]
    text = (
        "SmolLM2-135M (bfloat16 weights) on the CPU, letters A to D weighed after the same strings (checked item by item), questions of MMLU's"
        " medical subsets, five-shot with the same five examples before every item. As it comes, Primum computes in float32 on a CPU without"
        " bfloat16 instructions: bfloat16 weights are exact in it, and such a CPU is many times slower in bfloat16. So both are compared"
        " twice: with lm-eval in bfloat16 (the bars), and in float32, where both do the same arithmetic and a short prompt leaves little to spare but"
        " the output layer: matrix products are four fifths of the work."
        f" lm-eval has its best batch size of several (zero-shot {best[0]}, five-shot {best[SHOTS]}); its `auto` is not among them, because on a CPU"
        " it spends minutes on 8,192-token trial passes before the first item. After load: from the loaded model to the written results."
        " The bfloat16 runs ask few items, once."
    )
    table = Table(
        title="What each contestant did (median, least and greatest)",
        columns=("contestant", "shots", "items", "items/s after load", "rounds", "peak memory, MiB"),
        rows=[_row(name, shots, found) for (name, shots), found in runs.items()],
    )
    return Section(title="Local choice scoring", text=text, ratios=ratios, tables=[table], command="python bench/compare_local.py", data=_data(runs))


def _row(name: str, shots: int, found: list[Weighed]) -> tuple[Any, ...]:
    speed = spread([run.items_per_s for run in found])
    memory = spread([run.measured.rss_mb for run in found])
    shown = f"{speed['median']:.2f} ({speed['min']:.2f}-{speed['max']:.2f})"
    return name, shots, found[0].question.n, shown, len(found), f"{memory['median']:.0f}"


def _data(runs: Runs) -> list[dict[str, Any]]:
    return [
        {
            "contestant": name,
            "shots": shots,
            "items": run.question.n,
            "after_load_s": run.after_load_s,
            "wall_s": run.measured.wall_s,
            "cpu_s": run.measured.cpu_s,
            "rss_mib": run.measured.rss_mb,
        }
        for (name, shots), found in runs.items()
        for run in found
    ]


if __name__ == "__main__":
    main()
