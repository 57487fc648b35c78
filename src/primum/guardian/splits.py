"""Who is trained on, who calibrates, who is tested on: by norm and topic, never by text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from primum.guardian.material import fold_of
from primum.hashing import derived_seed, sha256_of
from primum.schema.guardian import LabelledExchange

TEST_FOLD: Final = 0
CALIBRATION_FOLD: Final = 1


def split_material(material: Sequence[LabelledExchange]) -> dict[str, list[LabelledExchange]]:
    """``test``, ``calibration`` and ``train``, by cluster."""
    parts: dict[str, list[LabelledExchange]] = {"test": [], "calibration": [], "train": []}
    for exchange in material:
        fold = fold_of(exchange.cluster)
        # Half of the calibration fold is enough to calibrate with; the other half trains.
        name = "test" if fold == TEST_FOLD else "calibration" if fold == CALIBRATION_FOLD and _first_half(exchange.cluster) else "train"
        parts[name].append(exchange)
    return parts


def material_digest(material: Sequence[LabelledExchange]) -> str:
    """SHA-256 of everything trained, calibrated and tested on."""
    return sha256_of([exchange.model_dump(mode="json") for exchange in material])


def _first_half(cluster: str) -> bool:
    return derived_seed("guardian-calibration", cluster) % 2 == 0
