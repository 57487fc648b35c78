"""Inspect: datasets as JSON lines, and one Python file with the tasks. ``inspect eval FOLDER/primum_bank.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from primum.bank.exchange.rows import write_jsonl
from primum.runs import layout
from primum.schema.base import LANGUAGES, Language
from primum.schema.item import Item

MODULE: Final = "primum_bank.py"
_CHOICE: Final = frozenset({"single_choice", "judgement", "multiple_choice"})
_SOURCE: Final = '''"""Primum's bank for Inspect (CC BY 4.0). inspect eval primum_bank.py@primum_choice -T language=zh --model ..."""

from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import Sample, json_dataset
from inspect_ai.scorer import choice
from inspect_ai.solver import multiple_choice

HERE = Path(__file__).parent


def _sample(row):
    return Sample(id=row["id"], input=row["input"], choices=row["choices"], target=row["target"], metadata=row["metadata"])


def _task(name, language, several):
    dataset = json_dataset(str(HERE / f"{name}_{language}.jsonl"), _sample)
    return Task(dataset=dataset, solver=multiple_choice(multiple_correct=several), scorer=choice())


@task
def primum_choice(language="zh"):
    """Vignettes with one right answer."""
    return _task("primum_choice", language, False)


@task
def primum_several(language="zh"):
    """Vignettes with several right answers, exact set match."""
    return _task("primum_several", language, True)


@task
def primum_judgement(language="zh"):
    """Rules and exceptions: allowed or not."""
    return _task("primum_judgement", language, False)
'''


def write_inspect(folder: Path, items: Mapping[Language, Sequence[Item]]) -> list[Path]:
    """Write datasets and tasks; dilemmas and open requests are left out, as Inspect's choice scorer has no defensible range."""
    written: list[Path] = []
    for language in LANGUAGES:
        sets: dict[str, list[dict[str, Any]]] = {"primum_choice": [], "primum_several": [], "primum_judgement": []}
        for item in items[language]:
            if item.form in _CHOICE:
                name = "primum_several" if item.form == "multiple_choice" else item.task.replace("-", "_")
                sets[name].append(_sample(item))
        for name, samples in sets.items():
            write_jsonl(folder / f"{name}_{language}.jsonl", samples)
            written.append(folder / f"{name}_{language}.jsonl")
    layout.write_bytes(folder / MODULE, _SOURCE.encode())
    return [*written, folder / MODULE]


def _sample(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "input": item.question,
        "choices": list(item.options),
        "target": list(item.answer) if item.form == "multiple_choice" else item.answer[0],
        "metadata": {**item.groups, "norm": item.norm},
    }
