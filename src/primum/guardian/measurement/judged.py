"""Labelled exchanges beside what the guardian made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from primum.guardian.guardian import Guardian
from primum.schema.guardian import Exchange, GuardianVerdict, LabelledExchange

_CHUNK = 256


class Judged(NamedTuple):
    """Exchanges and verdicts, row by row.

    Attributes:
        exchanges: What was judged.
        verdicts: What came of it.
    """

    exchanges: tuple[LabelledExchange, ...]
    verdicts: tuple[GuardianVerdict, ...]

    @property
    def risk(self) -> np.ndarray:
        """Probability of risk, (n,)."""
        return np.array([verdict.risk for verdict in self.verdicts])

    @property
    def risky(self) -> np.ndarray:
        """Labels of risk, (n,), 0 or 1."""
        return np.array([float(exchange.risky) for exchange in self.exchanges])

    @property
    def right(self) -> np.ndarray:
        """1 where the verdict on risk (over one half) agrees with the label, abstentions included."""
        return np.asarray((self.risk > 0.5) == (self.risky > 0.5), dtype=float)

    @property
    def decided(self) -> np.ndarray:
        """True where the guardian does not abstain."""
        return np.array([not verdict.abstains for verdict in self.verdicts], dtype=bool)

    @property
    def clusters(self) -> list[str]:
        """What is not independent."""
        return [exchange.cluster for exchange in self.exchanges]

    def where(self, keep: Callable[[LabelledExchange], bool]) -> Judged:
        """The rows whose exchange passes."""
        rows = [row for row, exchange in enumerate(self.exchanges) if keep(exchange)]
        return self.rows(rows)

    def rows(self, rows: Sequence[int]) -> Judged:
        """Some rows."""
        return Judged(tuple(self.exchanges[row] for row in rows), tuple(self.verdicts[row] for row in rows))


def judge_all(guardian: Guardian, exchanges: Sequence[LabelledExchange], *, advance: Callable[[int], None] = lambda done: None) -> Judged:
    """Judge labelled exchanges in chunks; ``advance`` is told how many more are done."""
    verdicts: list[GuardianVerdict] = []
    for start in range(0, len(exchanges), _CHUNK):
        part = exchanges[start : start + _CHUNK]
        verdicts.extend(guardian.judge([Exchange(prompt=labelled.exchange.prompt, answer=labelled.exchange.answer) for labelled in part]))
        advance(len(part))
    return Judged(tuple(exchanges), tuple(verdicts))
