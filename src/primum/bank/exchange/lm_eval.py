"""lm-evaluation-harness: one YAML task a language and bank task, over the exported JSON lines.

The prompt is ours, letter for letter, and letters are weighed as ours are, so that both harnesses find the same accuracy on the same model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from primum.bank.build import BANK_VERSION
from primum.bank.exchange.rows import write_jsonl
from primum.runs import layout
from primum.schema.base import LANGUAGES, Language
from primum.schema.item import LETTERS, Item

GROUP: Final = "primum_bank"


def write_lm_eval(folder: Path, items: Mapping[Language, Sequence[Item]], *, prompt: Callable[[Item], str]) -> list[Path]:
    """Write data and tasks; run with ``lm_eval run --include_path FOLDER --tasks primum_bank``.

    Items with several right letters, dilemmas and open requests have no form in this harness that scores them as we do; they are left out.

    Args:
        folder: Where to write; the tasks name their data by absolute path, as the harness needs.
        items: All items by language.
        prompt: An item's whole prompt, ending where the letter follows.
    """
    written: list[Path] = []
    names: list[str] = []
    for language in LANGUAGES:
        fit = [item for item in items[language] if item.form in ("single_choice", "judgement")]
        for task in sorted({item.task for item in fit}):
            name = f"{task.replace('-', '_')}_{language}"
            data = folder / f"{name}.jsonl"
            write_jsonl(data, (_document(item, prompt(item)) for item in fit if item.task == task))
            layout.write_bytes(folder / f"{name}.yaml", _task(name, data).encode())
            written += [data, folder / f"{name}.yaml"]
            names.append(name)
    layout.write_bytes(folder / f"{GROUP}.yaml", yaml.safe_dump({"group": GROUP, "task": names}, sort_keys=False).encode())
    return [*written, folder / f"{GROUP}.yaml"]


def _document(item: Item, prompt: str) -> dict[str, Any]:
    return {
        "id": item.id,
        "prompt": prompt,
        "letters": list(LETTERS[: len(item.options)]),
        "gold": LETTERS.index(item.answer[0]),
        **{name: item.groups.get(name, "") for name in ("dimension", "form", "split")},
    }


def _task(name: str, data: Path) -> str:
    task = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data.resolve())}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{prompt}}",
        "doc_to_choice": "{{letters}}",
        "doc_to_target": "{{gold}}",
        "target_delimiter": "",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": BANK_VERSION, "licence": "CC BY 4.0"},
    }
    return yaml.safe_dump(task, sort_keys=False, allow_unicode=True, width=160)
