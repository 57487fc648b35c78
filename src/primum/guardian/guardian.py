"""The guardian at work: exchanges in, verdicts out, without torch.

Long answers are read window by window; the riskiest window decides, since one harmful passage in a harmless text is harmful. What is empty,
unreadable, in another language, unlike anything it was trained on, or too close to call gets no verdict: it abstains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from primum.guardian.batches import Pairs, one_thread, tokenise_pairs
from primum.guardian.network import HARM, OUTPUTS, OVER_REFUSAL, QUALITY, RISK, STANCE, forward
from primum.guardian.ngrams import ngram_logits
from primum.guardian.reading import read_text
from primum.guardian.weights import GuardianCard, load_weights, packaged_guardian
from primum.norms.library import all_norms, packaged_norms
from primum.norms.retrieval import NormIndex
from primum.schema.base import Language
from primum.schema.guardian import QUALITY_NAMES, AbstentionReason, Exchange, GuardianVerdict

# Characters of one window, each about as many tokens as the network reads, and how many windows are read of one answer; the rest of a still longer
# one stays unread, and the guardian abstains.
WINDOWS: Final[Mapping[Language, int]] = {"en": 1_200, "zh": 560}
MAX_WINDOWS: Final = 40
_WORKERS: Final = 2


class Opinion(NamedTuple):
    """What the members say of a list of (prompt, answer) texts.

    Attributes:
        logits: The network's 14 outputs, (n, 14).
        ngram: The linear member's logit of risk, (n,).
        strangeness: ``1 - cosine`` of the nearest training centre, (n,).
    """

    logits: np.ndarray
    ngram: np.ndarray
    strangeness: np.ndarray


class Guardian:
    """A trained evaluator of answers.

    Args:
        card: What the weights are.
        weights: Arrays by name, single precision.
    """

    def __init__(self, card: GuardianCard, weights: dict[str, np.ndarray]) -> None:
        self.card = card
        self.weights = weights

    @classmethod
    def load(cls, folder: Path | None = None) -> Guardian:
        """The packaged guardian, or one from a folder.

        Raises:
            DataMissingError: There is none in the folder.
            IntegrityError: The weights are not those that the card names.
        """
        return cls(*load_weights(folder or packaged_guardian()))

    @cached_property
    def index(self) -> NormIndex:
        """Finds the norms that an exchange touches."""
        return NormIndex(tuple(all_norms(packaged_norms())))

    def judge(self, exchanges: Sequence[Exchange], *, with_norms: bool = False) -> list[GuardianVerdict]:
        """One verdict for each exchange, in order. Never raises on text.

        Args:
            exchanges: Any texts.
            with_norms: Look up the nearest norms too (some milliseconds each).
        """
        readings = [read_text(exchange.answer) for exchange in exchanges]
        windows: list[tuple[int, str]] = []
        unread: set[int] = set()
        for place, (exchange, reading) in enumerate(zip(exchanges, readings, strict=True)):
            if not reading.obstacle:
                pieces, rest = _cut(exchange.answer, WINDOWS[reading.language])
                windows.extend((place, window) for window in pieces)
                if rest:
                    unread.add(place)
        opinion = form_opinions(self.weights, [exchanges[place].prompt for place, _ in windows], [window for _, window in windows])
        logits = self.risk_logit(opinion)
        rows: dict[int, list[int]] = {}
        for row, (place, _) in enumerate(windows):
            rows.setdefault(place, []).append(row)
        verdicts = []
        for place, (exchange, reading) in enumerate(zip(exchanges, readings, strict=True)):
            norms = self._norms(exchange) if with_norms else ((exchange.norm,) if exchange.norm else ())
            if reading.obstacle:
                verdicts.append(_no_verdict(reading.language, reading.obstacle, norms))
                continue
            verdict = self._verdict(opinion, logits, rows[place]).model_copy(update={"language": reading.language, "norms": norms})
            if place in unread and not verdict.abstains:
                verdict = verdict.model_copy(update={"abstains": True, "reason": "unfamiliar"})
            verdicts.append(verdict)
        return verdicts

    def risk_logit(self, opinion: Opinion) -> np.ndarray:
        """Calibrated logit of risk, (n,)."""
        fusion = self.card.fusion
        return np.asarray(fusion.network * opinion.logits[:, RISK] + fusion.ngram * opinion.ngram + fusion.intercept)

    def doubt(self, opinion: Opinion) -> np.ndarray:
        """Estimated probability that the verdict on risk is wrong, (n,)."""
        model = self.card.doubt
        features = doubt_features(self.risk_logit(opinion), opinion)
        return _sigmoid(features @ np.array([model.closeness, model.disagreement, model.strangeness]) + model.intercept)

    def _verdict(self, opinion: Opinion, logits: np.ndarray, rows: list[int]) -> GuardianVerdict:
        worst = max(rows, key=lambda row: float(logits[row]))
        one = Opinion(opinion.logits[[worst]], opinion.ngram[[worst]], opinion.strangeness[[worst]])
        doubt, strange = float(self.doubt(one)[0]), float(one.strangeness[0])
        reason: AbstentionReason = "unfamiliar" if strange > self.card.doubt.strange else "uncertain" if doubt > self.card.doubt.limit else ""
        temperatures = self.card.temperatures
        first = opinion.logits[rows[0]]
        quality = _sigmoid(opinion.logits[rows][:, QUALITY].max(axis=0) / np.array([temperatures[name] for name in QUALITY_NAMES]))
        stance = _softmax(first[STANCE] / temperatures["stance"])
        return GuardianVerdict(
            language="en",
            risk=float(_sigmoid(logits[worst])),
            harmfulness=1 + float(_sigmoid(opinion.logits[worst, HARM] / temperatures["harmfulness"]).sum()),
            quality=(float(quality[0]), float(quality[1]), float(quality[2]), float(quality[3])),
            stance=(float(stance[0]), float(stance[1]), float(stance[2])),
            over_refusal=float(_sigmoid(first[OVER_REFUSAL] / temperatures["over_refusal"])),
            doubt=doubt,
            abstains=bool(reason),
            reason=reason,
        )

    def _norms(self, exchange: Exchange) -> tuple[str, ...]:
        found = [hit.norm.id for hit in self.index.search(f"{exchange.prompt}\n{exchange.answer}"[: 2 * WINDOWS["en"]], count=3)]
        return tuple(dict.fromkeys(([exchange.norm] if exchange.norm else []) + found))


@cache
def packaged() -> Guardian:
    """The packaged guardian, loaded once a process."""
    return Guardian.load()


def form_opinions(weights: dict[str, np.ndarray], prompts: Sequence[str], answers: Sequence[str]) -> Opinion:
    """The members' raw outputs for texts of at most one window."""
    if not prompts:
        return Opinion(np.zeros((0, OUTPUTS), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32))
    pairs = tokenise_pairs(prompts, answers)
    logits, sentences = run_network(weights, pairs)
    strange = 1 - (sentences @ weights["centres"].T).max(axis=1)
    return Opinion(logits, ngram_logits(weights, pairs), strange)


def run_network(weights: dict[str, np.ndarray], pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 14) and sentence vectors (n, 1024), in the order of the pairs."""
    logits = np.zeros((len(pairs), OUTPUTS), dtype=np.float32)
    sentences = np.zeros((len(pairs), 1024), dtype=np.float32)

    def fill(rows: list[int]) -> None:
        output = forward(weights, *pairs.lay_out(rows))
        logits[rows], sentences[rows] = output.logits, output.sentences

    batches = list(pairs.batches())
    with one_thread():
        if len(batches) == 1:
            fill(batches[0])
        else:
            # Matrix products let go of Python's lock: each batch is one thread's own work, and nobody waits for anybody.
            with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
                list(pool.map(fill, batches))
    return logits, sentences


def doubt_features(risk_logit: np.ndarray, opinion: Opinion) -> np.ndarray:
    """Closeness to one half, disagreement of the members, strangeness; shape (n, 3)."""
    closeness = 1 - np.abs(2 * _sigmoid(risk_logit) - 1)
    disagreement = np.abs(_sigmoid(opinion.logits[:, RISK]) - _sigmoid(opinion.ngram))
    return np.stack([closeness, disagreement, opinion.strangeness], axis=1)


def split_windows(answer: str, language: Language) -> list[str]:
    """An answer in pieces of at most a window's characters, cut at ends of sentences or lines where there are any; at most ``MAX_WINDOWS``."""
    return _cut(answer, WINDOWS[language])[0]


def _cut(answer: str, window: int) -> tuple[list[str], str]:
    """The windows that are read, and the text after them that is not; blank windows say nothing and are left out."""
    if len(answer) <= window * 5 // 4:
        return [answer], ""
    windows: list[str] = []
    rest = answer
    while rest and len(windows) < MAX_WINDOWS:
        if len(rest) <= window:
            windows.append(rest)
            rest = ""
            break
        cut = max(rest.rfind(mark, window // 2, window) for mark in ("\n", "。", "！", "？", ". ", "! ", "? "))
        cut = cut + 1 if cut > 0 else window
        windows.append(rest[:cut])
        rest = rest[cut:]
    return [piece for piece in windows if piece.strip()] or [answer[:window]], rest.strip()


def _no_verdict(language: str, reason: AbstentionReason, norms: tuple[str, ...]) -> GuardianVerdict:
    return GuardianVerdict.model_validate(
        {
            "language": language, "risk": 0.5, "harmfulness": 3.0, "quality": (0.5, 0.5, 0.5, 0.5), "stance": (1 / 3, 1 / 3, 1 / 3),
            "over_refusal": 0.5, "doubt": 1.0, "abstains": True, "reason": reason, "norms": norms,
        }
    )  # fmt: skip


def _sigmoid(x: np.ndarray | float) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))))


def _softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max())
    return np.asarray(powers / powers.sum())
