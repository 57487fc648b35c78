"""The guardian's weights: one ``.npz`` of half-precision arrays and a card that names its hash."""

from __future__ import annotations

import io
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from primum.config import parse_model
from primum.errors import DataMissingError, IntegrityError
from primum.hashing import sha256_file
from primum.runs.layout import write_bytes
from primum.schema.base import Record

WEIGHTS: Final = "weights.npz"
CARD: Final = "card.json"


class Fusion(Record):
    """How the members' logits become one calibrated logit of risk: ``network * logit + ngram * logit + intercept``."""

    network: float
    ngram: float
    intercept: float


class Doubt(Record):
    """A logistic model of "the verdict is wrong", and the doubt above which the guardian abstains.

    Attributes:
        intercept: Constant term.
        closeness: Weight of ``1 - |2p - 1|``: how near the probability is to one half.
        disagreement: Weight of the members' difference in probability.
        strangeness: Weight of ``1 - cosine`` to the nearest centre of the training material.
        limit: Doubt above which there is no verdict.
        strange: Strangeness above which there is no verdict, whatever the doubt.
    """

    intercept: float
    closeness: float
    disagreement: float
    strangeness: float
    limit: float
    strange: float


class Origin(Record):
    """What a set of weights comes from.

    Attributes:
        weights_sha256: Hash of the weights file.
        material_sha256: Hash of the labelled exchanges.
        seed: Seed of training.
        epochs: Times through the material.
        folds_tested: Folds held out for testing.
        folds_calibrated: Folds of which half is held out for fusion, temperatures and abstention.
        trained: Labelled exchanges trained on.
    """

    weights_sha256: str
    material_sha256: str
    seed: int
    epochs: int
    folds_tested: tuple[int, ...]
    folds_calibrated: tuple[int, ...]
    trained: int


class GuardianCard(Record):
    """What a guardian is.

    Attributes:
        name: ``guardian``.
        version: Version of the architecture and of this record.
        origin: Where its weights come from.
        fusion: How its members are joined.
        temperatures: Of harmfulness, quality, stance and over-refusal.
        doubt: When to abstain.
    """

    name: str = "guardian"
    version: int = 1
    origin: Origin
    fusion: Fusion
    temperatures: Mapping[str, float]
    doubt: Doubt


def packaged_guardian() -> Path:
    """The folder of the guardian that ships with Primum."""
    return Path(str(resources.files("primum") / "data" / "guardian" / "model"))


def save_weights(folder: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """Write the weights in half precision and return their SHA-256; equal arrays give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = {name: np.asarray(array, dtype=np.float16) for name, array in sorted(arrays.items())}
    memory = io.BytesIO()
    np.savez_compressed(memory, **halves)  # type: ignore[arg-type]
    write_bytes(folder / WEIGHTS, memory.getvalue())
    return sha256_file(folder / WEIGHTS)


def save_card(folder: Path, card: GuardianCard) -> None:
    """Write the card beside the weights."""
    write_bytes(folder / CARD, (card.model_dump_json(indent=1) + "\n").encode())


def load_card(folder: Path) -> GuardianCard:
    """Read a guardian's card alone.

    Raises:
        DataMissingError: There is none.
        IntegrityError: It is not JSON.
        ConfigError: It does not fit.
    """
    path = folder / CARD
    if not path.is_file():
        raise DataMissingError(f"{folder}: no guardian here (no {CARD})", remedy="train one with primum guardian train --out FOLDER")
    try:
        fields: Any = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise IntegrityError(f"{path}: not JSON", remedy="install the package again, or train the guardian anew") from error
    return parse_model(fields, GuardianCard, str(path))


def load_weights(folder: Path) -> tuple[GuardianCard, dict[str, np.ndarray]]:
    """Read card and weights, single precision.

    Raises:
        DataMissingError: The folder lacks one of the two files.
        ConfigError: The card does not fit.
        IntegrityError: The weights are not those that the card names.
    """
    card = load_card(folder)
    path = folder / WEIGHTS
    if not path.is_file():
        raise DataMissingError(f"{folder}: no guardian here (no {WEIGHTS})", remedy="train one with primum guardian train --out FOLDER")
    found = sha256_file(path)
    if found != card.origin.weights_sha256:
        raise IntegrityError(
            f"{path}: SHA-256 {found[:12]}... is not the card's {card.origin.weights_sha256[:12]}...",
            remedy="install the package again, or train the guardian anew; these weights are not used",
        )
    with np.load(path, allow_pickle=False) as stored:
        return card, {name: stored[name].astype(np.float32) for name in stored.files}
