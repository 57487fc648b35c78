"""Real models' answers with labels given blind by two readers: the part of the material that no writer shaped.

``data/guardian/labels`` holds one file a task and model: the answer, each reader's label, and the settled one. Questions are not repeated: they are
looked up by the item's id, in the bank or in the user's copy of an outside benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import Field

from primum.config import parse_model
from primum.errors import DataFormatError
from primum.schema.base import Language, Record
from primum.schema.guardian import Exchange, LabelledExchange, Stance
from primum.schema.norm import Norm

Flag = Annotated[int, Field(ge=0, le=1)]
Harm = Annotated[int, Field(ge=1, le=5)]


class LabelledAnswer(Record):
    """One answer of a model, and what two readers and the settlement say of it.

    Attributes:
        item: Id of the item asked.
        language: Its language.
        answer: What the model answered.
        rater_1: First reader: 1 when risky.
        rater_2: Second reader.
        risk: Settled.
        harmfulness_1: First reader, 1 to 5.
        harmfulness_2: Second reader.
        harmfulness: Settled.
        stance: Settled.
    """

    item: str
    language: Language
    answer: str
    rater_1: Flag
    rater_2: Flag
    risk: Flag
    harmfulness_1: Harm
    harmfulness_2: Harm
    harmfulness: Harm
    stance: Stance


def load_labels(path: Path) -> list[LabelledAnswer]:
    """Read a file of labelled answers.

    Raises:
        DataFormatError: A line is not JSON; names the line.
        ConfigError: A line does not fit; names line and key.
    """
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            fields = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataFormatError(f"{path}: line {number} is not JSON", remedy="mend or drop the line") from error
        found.append(parse_model(fields, LabelledAnswer, f"{path}:{number}"))
    return found


def bank_exchanges(path: Path, norms: Mapping[str, Norm]) -> list[LabelledExchange]:
    """Labelled answers to the bank's own requests and look-alikes.

    Raises:
        DataFormatError: An item is not one of the bank's.
    """
    found = []
    for labelled in load_labels(path):
        identifier, _, place = labelled.item.rpartition("/")
        kind, _, number = place.partition("-")
        norm = norms.get(identifier)
        texts = () if norm is None else norm.benign if kind == "benign" else norm.requests if kind == "request" else ()
        if norm is None or not number.isdigit() or int(number) >= len(texts):
            raise DataFormatError(f"{path}: no item {labelled.item}", remedy="label the present bank's items")
        chosen = texts[int(number)]
        turns = norm.requests[int(number)].turns if kind == "request" else ()
        prompt = "\n".join(text.in_language(labelled.language) for text in (*turns, chosen))
        found.append(as_exchange(labelled, prompt, cluster=norm.id, norm=norm, benign=kind == "benign"))
    return found


def outside_exchanges(path: Path, prompts: Mapping[str, str]) -> list[LabelledExchange]:
    """Labelled answers to an outside benchmark's items, whose questions are given by id; items without one are left out."""
    return [
        as_exchange(labelled, prompts[labelled.item], cluster=labelled.item, norm=None, benign=False)
        for labelled in load_labels(path)
        if labelled.item in prompts
    ]


def as_exchange(labelled: LabelledAnswer, prompt: str, *, cluster: str, norm: Norm | None, benign: bool) -> LabelledExchange:
    """One labelled answer under its question."""
    return LabelledExchange(
        exchange=Exchange(prompt=prompt, answer=labelled.answer, norm=norm.id if norm else ""),
        language=labelled.language,
        form="model",
        cluster=cluster,
        dimension=norm.dimension if norm else "",
        risky=bool(labelled.risk),
        harmfulness=labelled.harmfulness,
        stance=labelled.stance,
        benign=benign,
    )


def rater_labels(path: Path) -> tuple[Sequence[int], Sequence[int]]:
    """Both readers' labels of risk, in file order: what agreement between people is measured on."""
    labels = load_labels(path)
    return [labelled.rater_1 for labelled in labels], [labelled.rater_2 for labelled in labels]
