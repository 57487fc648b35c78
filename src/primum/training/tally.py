"""What a training has counted so far; kept in every checkpoint, so that a resumed training reports as one that was never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from primum.config import parse_model
from primum.runs.layout import read_json, write_json
from primum.schema.base import Record

TALLY: Final = "tally.json"


class Tally(Record):
    """Counts of a training.

    Attributes:
        epoch: The epoch that ``loss`` and ``units`` are of.
        loss: Summed loss of that epoch: nats of answer tokens, or of pairs.
        units: Answer tokens or pairs in that sum.
        tokens: Tokens through the model, all epochs.
        trained_tokens: Of these, tokens that carried loss.
        seconds: Wall time of the steps.
        micro_tokens: Tokens of a forward pass that the device could hold.
        notes: What a user should know.
    """

    epoch: int = 0
    loss: float = 0.0
    units: int = 0
    tokens: int = 0
    trained_tokens: int = 0
    seconds: float = 0.0
    micro_tokens: int
    notes: tuple[str, ...] = ()

    def after(self, *, epoch: int, loss: float, units: int, tokens: int, trained_tokens: int, seconds: float) -> Tally:
        """The tally after one more step; the loss is summed anew in each epoch."""
        fresh = epoch != self.epoch
        return self.model_copy(
            update={
                "epoch": epoch,
                "loss": loss + (0.0 if fresh else self.loss),
                "units": units + (0 if fresh else self.units),
                "tokens": self.tokens + tokens,
                "trained_tokens": self.trained_tokens + trained_tokens,
                "seconds": self.seconds + seconds,
            }
        )

    def noting(self, text: str) -> Tally:
        """The tally with one more note."""
        return self.model_copy(update={"notes": (*self.notes, text)})


def keep_tally(folder: Path, tally: Tally) -> None:
    """Write a tally into a checkpoint."""
    write_json(folder / TALLY, tally.model_dump(mode="json"))


def read_tally(folder: Path) -> Tally:
    """Read the tally of a checkpoint."""
    return parse_model(read_json(folder / TALLY), Tally, str(folder / TALLY))
