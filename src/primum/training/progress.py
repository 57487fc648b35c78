"""Where a training's news goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Where a training's news goes; every part may be replaced by a display.

    Attributes:
        begin: Told what begins, how many optimiser steps it has, and how many of them are already done.
        advance: Told of each finished step: its number, from 1, and its loss.
        note: Told, once each, what a user should know.
    """

    begin: Callable[[str, int, int], None] = field(default=lambda title, steps, done: None)
    advance: Callable[[int, float], None] = field(default=lambda step, loss: None)
    note: Callable[[str], None] = field(default=lambda text: None)
