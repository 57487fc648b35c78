"""Training the guardian: labelled answers in, weights and a card out; seeded, on two cores within twenty minutes.

Folds go by norm (:func:`primum.guardian.material.fold_of`): one is kept for testing, one for fusing the members, calibrating probabilities and
choosing when to abstain; the network and the linear member see the other three, and half of the calibration fold's norms never overlap with them.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from primum.errors import InputError
from primum.guardian.augmentation import vary
from primum.guardian.batches import tokenise_pairs
from primum.guardian.fitting import fit_card, fit_ngrams
from primum.guardian.guardian import run_network
from primum.guardian.network import HARM, HARMFUL_PROMPT, OVER_REFUSAL, QUALITY, RISK, STANCE
from primum.guardian.splits import CALIBRATION_FOLD, TEST_FOLD, material_digest, split_material
from primum.guardian.torch_network import Network
from primum.guardian.weights import GuardianCard, Origin, save_card, save_weights
from primum.hashing import derived_seed, sha256_of
from primum.schema.guardian import STANCES, LabelledExchange

CENTRES: Final = 96
_FAMILIAR: Final = 4_000
CHECKPOINT: Final = ".checkpoint.pt"
_UNIT: Final = 12
_SMOOTH: Final = 0.01
_MARGIN: Final = 2.0
_LEAST: Final = 200
# Shorter than what is read at work: the layers look at neighbours and pool over any length, and long answers would take most of the time.
_ANSWER_TOKENS: Final = 224


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Attributes:
        seed: Decides order, dropout, variants and everything else.
        epochs: Times through the material.
        batch: Exchanges of one step.
        rate: Learning rate of the new layers.
        encoder_rate: Learning rate of the encoder's layers.
        pair_weight: Weight of ordering hard pairs.
        language_weight: Weight of agreeing with oneself between Chinese and English.
    """

    seed: int = 20261121
    epochs: int = 3
    batch: int = 32
    rate: float = 1e-3
    encoder_rate: float = 2e-4
    pair_weight: float = 2.0
    language_weight: float = 0.3


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Where news goes.

    Attributes:
        begin: Told what begins, and how many steps it has.
        advance: Told that a step is done.
    """

    begin: Callable[[str, int], None] = field(default=lambda title, steps: None)
    advance: Callable[[], None] = field(default=lambda: None)


def train_guardian(
    material: Sequence[LabelledExchange], out: Path, recipe: Recipe | None = None, progress: TrainingProgress | None = None
) -> tuple[GuardianCard, float]:
    """Train, fuse, calibrate and write a guardian; returns its card and the seconds it took.

    Raises:
        InputError: Too few labelled exchanges, or one class only, in some part.
    """
    recipe, progress = recipe or Recipe(), progress or TrainingProgress()
    started = time.monotonic()
    parts = split_material(material)
    _check(parts)
    train, calibration = parts["train"], parts["calibration"]
    arrays = _halved(fit_network(train, recipe, out / CHECKPOINT, progress).arrays())
    progress.begin("fuse and calibrate", 1)
    arrays |= fit_ngrams(train)
    arrays["centres"] = _centres(arrays, train, recipe.seed)
    origin = Origin(
        weights_sha256=save_weights(out, arrays),
        material_sha256=material_digest(material),
        seed=recipe.seed,
        epochs=recipe.epochs,
        folds_tested=(TEST_FOLD,),
        folds_calibrated=(CALIBRATION_FOLD,),
        trained=len(train),
    )
    card = fit_card(_halved(arrays), calibration, origin)
    save_card(out, card)
    (out / CHECKPOINT).unlink(missing_ok=True)
    progress.advance()
    return card, time.monotonic() - started


def _halved(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays as they are stored, in half precision: what is calibrated is what ships."""
    return {name: array.astype(np.float16).astype(np.float32) for name, array in arrays.items()}


def _check(parts: dict[str, list[LabelledExchange]]) -> None:
    for name, part in parts.items():
        if len(part) < _LEAST or len({exchange.risky for exchange in part}) < 2:
            raise InputError(
                f"{len(part)} labelled exchanges to {name}; at least {_LEAST} of both classes are needed",
                remedy="add labelled answers for more norms",
            )


def fit_network(train: Sequence[LabelledExchange], recipe: Recipe, checkpoint: Path, progress: TrainingProgress) -> Network:
    """Train, or go on after the last whole epoch: each epoch's order and dropout depend on the seed and its number alone."""
    with _deterministic():
        return _fit(train, recipe, checkpoint, progress)


@contextmanager
def _deterministic() -> Iterator[None]:
    """Two threads, and sums in a fixed order; what the process had before comes back."""
    threads, before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(2)
    # Otherwise the gradients of repeated tokens are added in the order in which threads arrive, and equal seeds give unequal weights.
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(before)


def _fit(train: Sequence[LabelledExchange], recipe: Recipe, checkpoint: Path, progress: TrainingProgress) -> Network:
    torch.manual_seed(recipe.seed)
    network = Network()
    groups = [
        {"params": list(network.encoder.parameters()), "lr": recipe.encoder_rate},
        {"params": [p for name, p in network.named_parameters() if not name.startswith("encoder.")], "lr": recipe.rate},
    ]
    optimiser: Any = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = recipe.epochs * math.ceil(len(train) * 1.2 / recipe.batch) + 50
    schedule: Any = torch.optim.lr_scheduler.OneCycleLR(optimiser, [recipe.encoder_rate, recipe.rate], total_steps=steps, pct_start=0.1)
    parts = {"network": network, "optimiser": optimiser, "schedule": schedule}
    identity = sha256_of([asdict(recipe), [e.model_dump(mode="json") for e in train]])
    network.train()
    for epoch in range(_resume(checkpoint, identity, parts), recipe.epochs):
        torch.manual_seed(derived_seed("guardian-epoch", recipe.seed, epoch))
        rng = random.Random(derived_seed("guardian-order", recipe.seed, epoch))
        batches = list(_batches(vary(train, rng), recipe.batch, rng))
        progress.begin(f"epoch {epoch + 1} of {recipe.epochs}", len(batches))
        for batch in batches:
            optimiser.zero_grad()
            loss(network, batch, recipe).backward()
            clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            progress.advance()
        _keep(checkpoint, identity, epoch + 1, parts)
    return network.eval()


def _keep(checkpoint: Path, identity: str, epoch: int, parts: dict[str, Any]) -> None:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    scratch = checkpoint.with_suffix(".tmp")
    torch.save({"identity": identity, "epoch": epoch, **{name: part.state_dict() for name, part in parts.items()}}, scratch)
    scratch.replace(checkpoint)


def _resume(checkpoint: Path, identity: str, parts: dict[str, Any]) -> int:
    """Load the checkpoint of the same recipe and material, if there is one; the number of epochs done."""
    if not checkpoint.exists():
        return 0
    kept = torch.load(checkpoint, weights_only=True)
    if kept["identity"] != identity:
        return 0
    for name, part in parts.items():
        part.load_state_dict(kept[name])
    return int(kept["epoch"])


def _batches(exchanges: Sequence[LabelledExchange], size: int, rng: random.Random) -> Iterator[list[LabelledExchange]]:
    """Batches in random order in which exchanges of one cluster stand together: prompts are read once, and pairs are there with both members.

    Both languages of a text stand together too.
    """
    clusters: dict[str, dict[str, list[LabelledExchange]]] = {}
    for place, exchange in enumerate(exchanges):
        # A pair's name ends with its language; two forms of one text share their source.
        bundle = exchange.pair.rpartition("|")[0] or exchange.source or str(place)
        clusters.setdefault(exchange.cluster, {}).setdefault(bundle, []).append(exchange)
    units: list[list[LabelledExchange]] = []
    for bundles in clusters.values():
        unit: list[LabelledExchange] = []
        for bundle in rng.sample(sorted(bundles), len(bundles)):
            unit.extend(bundles[bundle])
            if len(unit) >= _UNIT:
                units.append(unit)
                unit = []
        units.append(unit)
    rng.shuffle(units)
    batch: list[LabelledExchange] = []
    for unit in units:
        batch.extend(unit)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def loss(network: Network, batch: Sequence[LabelledExchange], recipe: Recipe) -> Tensor:
    """The sum over heads of what each is labelled with, the ordering of pairs, and agreement between languages."""
    pairs = tokenise_pairs([e.exchange.prompt for e in batch], [e.exchange.answer for e in batch], answer_tokens=_ANSWER_TOKENS)
    logits = network(*pairs.lay_out(range(len(batch))))
    risky = torch.tensor([float(e.risky) for e in batch])
    total = 2 * functional.binary_cross_entropy_with_logits(logits[:, RISK], risky * (1 - 2 * _SMOOTH) + _SMOOTH)
    harm = [[float((e.harmfulness or 0) > level) for level in (1, 2, 3, 4)] if e.harmfulness else None for e in batch]
    total = (
        total
        + _known(logits[:, HARM], harm)
        + 0.5 * _known(logits[:, QUALITY], [None if e.quality is None else [float(q) for q in e.quality] for e in batch])
    )
    stances = [row for row, e in enumerate(batch) if e.stance is not None]
    if stances:
        wanted = torch.tensor([STANCES.index(batch[row].stance) for row in stances])
        total = total + 0.5 * functional.cross_entropy(logits[stances, STANCE], wanted)
    over = [[float(e.stance != "full")] if e.benign and e.stance is not None else None for e in batch]
    total = total + 0.5 * _known(logits[:, [OVER_REFUSAL]], over)
    total = total + 0.5 * _known(logits[:, [HARMFUL_PROMPT]], [None if e.benign is None else [float(not e.benign)] for e in batch])
    return total + recipe.pair_weight * _order(logits[:, RISK], batch) + recipe.language_weight * _agree(logits[:, RISK], batch)


def _known(logits: Tensor, targets: Sequence[list[float] | None]) -> Tensor:
    """Cross-entropy of the rows that are labelled."""
    rows = [row for row, target in enumerate(targets) if target is not None]
    if not rows:
        return logits.sum() * 0
    return functional.binary_cross_entropy_with_logits(logits[rows], torch.tensor([targets[row] for row in rows]))


def _order(risk: Tensor, batch: Sequence[LabelledExchange]) -> Tensor:
    """A soft margin between the members of each hard pair, weighted by the pairs' share of the batch."""
    members: dict[str, dict[bool, int]] = {}
    for row, exchange in enumerate(batch):
        if exchange.pair:
            members.setdefault(exchange.pair, {})[exchange.risky] = row
    whole = [pair for pair in members.values() if len(pair) == 2]
    if not whole:
        return risk.sum() * 0
    gaps = risk[[pair[True] for pair in whole]] - risk[[pair[False] for pair in whole]]
    return functional.softplus(_MARGIN - gaps).mean() * len(whole) / len(batch)


def _agree(risk: Tensor, batch: Sequence[LabelledExchange]) -> Tensor:
    """How far the two languages of one text differ in risk, weighted by their share of the batch."""
    forms: dict[str, dict[str, int]] = {}
    for row, exchange in enumerate(batch):
        if exchange.source:
            forms.setdefault(exchange.source, {})[exchange.language] = row
    both = [found for found in forms.values() if len(found) == 2]
    if not both:
        return risk.sum() * 0
    return functional.smooth_l1_loss(risk[[found["zh"] for found in both]], risk[[found["en"] for found in both]]) * 2 * len(both) / len(batch)


def _centres(arrays: dict[str, np.ndarray], train: Sequence[LabelledExchange], seed: int) -> np.ndarray:
    """Centres of the training exchanges' sentence vectors, unit length, (96, 1024): what is familiar."""
    from sklearn.cluster import MiniBatchKMeans

    some = train[:: max(1, len(train) // _FAMILIAR)]
    _, sentences = run_network(arrays, tokenise_pairs([e.exchange.prompt for e in some], [e.exchange.answer for e in some]))
    centres = MiniBatchKMeans(CENTRES, random_state=seed % (1 << 31), n_init=1, batch_size=1024).fit(sentences).cluster_centers_
    return np.asarray(centres / np.linalg.norm(centres, axis=1, keepdims=True), dtype=np.float32)
