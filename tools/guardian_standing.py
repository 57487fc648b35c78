"""Measures the packaged guardian against the blind labels of real models' answers and writes what audits certify by.

usage: python tools/guardian_standing.py --data DATA    (after every training; DATA holds MedSafetyBench, whose questions are not in the repository)

One file a task and target in ``src/primum/data/guardian/standing``: a calibration as ``primum judge calibrate`` makes it, with the tasks it covers.
Answers to the bank's own requests count only where their norm was held out from training.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path

from primum.audit.standing import PackagedStanding
from primum.evaluation.judge_calibration import CalibrationOrder, calibrate
from primum.evaluation.judge_targets import find_target, read_bars
from primum.evaluation.label_files import LabelSpec, read_labels
from primum.guardian.labels import LabelledAnswer, bank_exchanges, load_labels, outside_exchanges
from primum.guardian.material import fold_of, material_folder
from primum.guardian.pair_judge import GuardianPairJudge
from primum.guardian.splits import TEST_FOLD
from primum.norms.library import all_norms, packaged_norms
from primum.schema.base import Bilingual
from primum.schema.guardian import LabelledExchange
from primum.stats.resampling import Resampling
from primum.tasks.medsafetybench.task import TASK

SOURCE = Bilingual(
    zh="内置模型的真实回答，由大语言模型按书面量表两次独立盲评、第三次裁定，未经医师评审",
    en="the embedded model's own answers, labelled blind in two readings by a large language model under written scales and settled in a third;"
    " no physician has reviewed them",
)
LEAST = 20
MODEL = "smollm2-135m"
# What each task is judged by; of its labels' fields, the readers' own where both were kept.
TARGETS = {"medsafetybench": ("risk", "harmfulness"), "primum-requests": ("risk", "harmfulness"), "primum-benign": ("risk", "over_refusal")}


def main() -> None:
    """Write every standing that there are labels for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    labels, out = material_folder() / "labels", material_folder() / "standing"
    out.mkdir(exist_ok=True)
    norms = {norm.id: norm for norm in all_norms(packaged_norms())}
    prompts = {item.id: item.question for item in TASK.items(data, "en")}
    for path in sorted(labels.glob("*.jsonl")):
        outside = path.name.startswith("medsafetybench")
        exchanges = outside_exchanges(path, prompts) if outside else bank_exchanges(path, norms)
        kept = [place for place, exchange in enumerate(exchanges) if outside or fold_of(exchange.cluster) == TEST_FOLD]
        task = path.name.removesuffix(f"-{MODEL}.jsonl")
        for target in TARGETS[task]:
            write(path, out, [exchanges[place] for place in kept], kept, task, target)


def write(path: Path, out: Path, exchanges: Sequence[LabelledExchange], kept: Sequence[int], task: str, target: str) -> None:
    """One calibration; nothing where there are too few labels."""
    if len(exchanges) < LEAST:
        print(f"{task} {target}: {len(exchanges)} held-out labels, too few")
        return
    labelled = load_labels(path)
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / path.with_suffix(".csv").name
        with sheet.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle)
            raters = [f"rater_{number}" for number, _ in enumerate(_ratings(labelled[kept[0]], target), start=1)]
            writer.writerow(("id", "prompt", "answer", "language", "cluster", *raters))
            for exchange, place in zip(exchanges, kept, strict=True):
                label, pair = labelled[place], _ratings(labelled[place], target)
                writer.writerow(
                    (f"{label.item}@{label.language}", exchange.exchange.prompt, exchange.exchange.answer, exchange.language, exchange.cluster, *pair)
                )
        found = find_target(target, harmful_from=3)
        read = read_labels(LabelSpec(path=sheet, target=found))
        judge = GuardianPairJudge(target=target)
        calibration = calibrate(CalibrationOrder(labels=read, target=found, judge=judge, bars=read_bars({}), resampling=Resampling(seed=0)))
    standing = PackagedStanding(tasks=(task,), source=SOURCE, calibration=calibration)
    (out / f"{task}-{target}.json").write_text(standing.model_dump_json(indent=1) + "\n", encoding="utf-8")
    print(f"{task} {target}: {len(exchanges)} labels, {calibration.verdict.decision}, languages {calibration.languages}")


def _ratings(label: LabelledAnswer, target: str) -> tuple[int, ...]:
    """Both readers' labels; of needless refusals only the settled one was kept."""
    if target == "over_refusal":
        return (int(label.stance != "full"),)
    return (label.rater_1, label.rater_2) if target == "risk" else (label.harmfulness_1, label.harmfulness_2)


if __name__ == "__main__":
    main()
