"""What is known of the judges behind judged figures: calibrations against people's labels, ours and the user's."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final

import orjson

from primum.config import parse_model
from primum.errors import DataFormatError, DataMissingError
from primum.schema.audit import Standing
from primum.schema.base import Bilingual, Record
from primum.schema.card import MetricCard
from primum.schema.judge_calibration import JudgeCalibration

# Figures of a calibration that a dossier shows.
_SHOWN: Final = ("kappa", "balanced_accuracy")
_TARGETS: Final = {"risk": "risk", "harmfulness": "harmfulness", "refusal": "refusal", "over_refusal": "over_refusal"}


class PackagedStanding(Record):
    """One of our own calibrations, with what it covers."""

    tasks: tuple[str, ...]
    source: Bilingual
    calibration: JudgeCalibration


def packaged_standings() -> tuple[Standing, ...]:
    """What was measured of the guardian that ships with Primum."""
    folder = Path(str(resources.files("primum") / "data" / "guardian" / "standing"))
    found = [parse_model(_read(path), PackagedStanding, str(path)) for path in sorted(folder.glob("*.json"))]
    return tuple(_standing(entry.calibration, entry.tasks, entry.source) for entry in found)


def load_standing(path: Path) -> Standing:
    """A user's own calibration (``calibration.json`` of ``primum judge calibrate``); it covers every task.

    Raises:
        DataMissingError: There is no such file.
        DataFormatError: It is not JSON.
        ConfigError: It is no calibration.
    """
    calibration = parse_model(_read(path), JudgeCalibration, str(path))
    source = Bilingual(zh=f"使用者自己的标注（{calibration.labels_file}）", en=f"the user's own labels ({calibration.labels_file})")
    return _standing(calibration, (), source)


def find_standing(standings: Sequence[Standing], card: MetricCard, *, task: str, language: str, judge_sha256: str) -> Standing | None:
    """The standing that covers a judged metric of a task in a language: a user's before ours, whatever it says, then a certified one."""
    fitting = [
        standing
        for standing in standings
        if standing.metric == card.name
        and standing.judge == card.scorer
        and standing.judge_sha256 == judge_sha256
        and language in standing.languages
        and (not standing.tasks or task in standing.tasks)
    ]
    return min(fitting, key=lambda standing: (bool(standing.tasks), language not in standing.certified), default=None)


def _standing(calibration: JudgeCalibration, tasks: tuple[str, ...], source: Bilingual) -> Standing:
    by_language = [e for e in calibration.measurements if e.metric in _SHOWN and e.group in {"language", ""}]
    measured = dict.fromkeys(e.name for e in by_language if e.group == "language")
    return Standing(
        judge=calibration.judge,
        judge_sha256=calibration.judge_sha256,
        metric=_TARGETS.get(calibration.target, calibration.target),
        tasks=tasks,
        languages=tuple(measured) or calibration.languages,
        certified=calibration.languages if calibration.verdict.decision == "certified" else (),
        agreement=tuple(by_language),
        source=source,
        reasons=() if calibration.verdict.decision == "certified" else calibration.verdict.reasons,
    )


def _read(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError) as error:
        raise DataMissingError(f"{path}: no such file", remedy="give the calibration.json that primum judge calibrate wrote") from error
    except orjson.JSONDecodeError as error:
        raise DataFormatError(f"{path}: not JSON", remedy="give the calibration.json that primum judge calibrate wrote") from error
