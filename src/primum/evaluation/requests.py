"""Items to requests: method, sampling, epochs."""

from __future__ import annotations

from primum.errors import UsageError
from primum.evaluation.selection import Selection
from primum.interfaces import Engine, LogprobEngine
from primum.schema.item import CHOICE_FORMS, LETTERS, Item
from primum.schema.response import Request
from primum.schema.spec import RunSpec

# A letter needs few tokens; reasoning models need room to think before it. The user's --max-tokens wins.
_LETTER_FORMS = frozenset({"single_choice", "judgement", "defensible_choice"})


def check_method(spec: RunSpec, engine: Engine) -> None:
    """Refuse what cannot be done, before anything is asked.

    Raises:
        UsageError: Log-probabilities were asked of an engine without them, or repeated samples at temperature 0.
    """
    if spec.method == "logprob" and not isinstance(engine, LogprobEngine):
        raise UsageError(f"engine {engine.identity.backend} gives no log-probabilities", remedy="use --method generate")
    if spec.epochs > 1 and spec.sampling.temperature == 0:
        raise UsageError("repeated samples at temperature 0 are copies of one answer", remedy="set --temperature, such as 0.7, or --epochs 1")
    if spec.epochs > 1 and spec.method == "logprob":
        raise UsageError("log-probabilities do not vary between samples", remedy="use --method generate, or --epochs 1")


def uses_logprobs(item: Item, spec: RunSpec, engine: Engine) -> bool:
    """True when the item is answered by weighing letters.

    Sets of letters (``multiple_choice``) are always generated: no single continuation stands for a set.
    """
    if item.form not in _LETTER_FORMS or spec.method == "generate" or spec.epochs > 1:
        return False
    return isinstance(engine, LogprobEngine)


def build_request(item: Item, epoch: int, *, selection: Selection, engine: Engine, occurrence: int = 0) -> Request:
    """The request for one sample of one item."""
    spec = selection.spec
    choices = tuple(LETTERS[: len(item.options)]) if item.form in CHOICE_FORMS and uses_logprobs(item, spec, engine) else ()
    sampling = spec.sampling if epoch == 0 else spec.sampling.model_copy(update={"seed": spec.sampling.seed + epoch})
    return Request(
        key=f"{item.id}#{epoch}", messages=selection.prompt(item), sampling=sampling, choices=choices, lookup=item.id, occurrence=occurrence
    )
