"""What two blind raters agree on, dimension by dimension, and which items may be called certified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from primum.bank.annotation.project import KeyAmendment, Label
from primum.errors import InputError
from primum.schema.base import Record
from primum.schema.estimate import Estimate
from primum.schema.item import Item
from primum.stats.agreement import estimate_alpha, estimate_kappa, estimate_percent_agreement, pair_ratings
from primum.stats.intervals import estimate_proportion
from primum.stats.observations import Quantity

# Krippendorff's own lower bar for tentative conclusions (Content Analysis, 2004).
BAR: Final = 0.667


class Agreement(Record):
    """Agreement on a group of items.

    Attributes:
        group: A dimension, or ``all``.
        percent: Share of items with the same label.
        kappa: Cohen's kappa.
        alpha: Krippendorff's alpha, nominal.
        with_key: Share of all labels that equal the key.
    """

    group: str
    percent: Estimate
    kappa: Estimate
    alpha: Estimate
    with_key: Estimate


class Outcome(Record):
    """Where a project stands.

    Attributes:
        raters: Codes of the two raters.
        agreements: For all items, then by dimension.
        disagreements: Items for the third person: labels differ, or both differ from the key.
        certified: Items whose label stands: both raters chose the key, or the third person settled it, in a dimension above the bar.
        withheld: Items that were labelled and are not certified, with the reason.
    """

    raters: tuple[str, ...]
    agreements: tuple[Agreement, ...]
    disagreements: tuple[str, ...]
    certified: tuple[str, ...]
    withheld: dict[str, str]


def judge(items: Sequence[Item], labels: Sequence[Label], amendments: Sequence[KeyAmendment], *, bar: float = BAR) -> Outcome:
    """Measure agreement and settle what may be certified.

    Raises:
        InputError: Fewer than two raters have answered.
    """
    blind = [label for label in labels if label.role == "rater"]
    raters = tuple(dict.fromkeys(label.rater for label in blind))
    if len(raters) < 2:
        raise InputError(f"{len(raters)} of 2 raters have answered", remedy="import both sheets first")
    by_item: dict[str, dict[str, Label]] = {}
    for label in blind:
        by_item.setdefault(label.item, {})[label.rater] = label
    both = [item for item in items if len(by_item.get(item.id, {})) == 2]
    if not both:
        raise InputError("no item was answered by both raters", remedy="import sheets of the same project")
    groups = {"all": both}
    for item in both:
        groups.setdefault(item.groups["dimension"], []).append(item)
    agreements = tuple(
        _measure(name, chosen, by_item, raters) for name, chosen in sorted(groups.items(), key=lambda pair: (pair[0] != "all", pair[0]))
    )
    weak = {found.group for found in agreements if found.alpha.value is not None and found.alpha.value < bar}
    settled = {amendment.item: amendment for amendment in amendments}
    certified: list[str] = []
    withheld: dict[str, str] = {}
    disagreements: list[str] = []
    for item in both:
        given = {label.letters for label in by_item[item.id].values()}
        if given == {item.answer} or item.id in settled:
            if item.groups["dimension"] in weak:
                withheld[item.id] = f"agreement in {item.groups['dimension']} is below {bar}"
            else:
                certified.append(item.id)
        else:
            disagreements.append(item.id)
            withheld[item.id] = "raters differ" if len(given) > 1 else "both raters differ from the key"
    return Outcome(raters=raters, agreements=agreements, disagreements=tuple(disagreements), certified=tuple(certified), withheld=withheld)


def _measure(name: str, items: Sequence[Item], by_item: dict[str, dict[str, Label]], raters: tuple[str, ...]) -> Agreement:
    columns = [["".join(by_item[item.id][rater].letters) for item in items] for rater in raters]
    clusters = [item.cluster for item in items]
    pairs = pair_ratings(columns[0], columns[1], clusters=clusters)
    right = [label == "".join(item.answer) for column in columns for label, item in zip(column, items, strict=True)]
    return Agreement(
        group=name,
        percent=estimate_percent_agreement(pairs, quantity=Quantity(metric="percent_agreement")),
        kappa=estimate_kappa(pairs, quantity=Quantity(metric="kappa")),
        alpha=estimate_alpha(columns, quantity=Quantity(metric="alpha")),
        with_key=estimate_proportion(right, quantity=Quantity(metric="with_key"), clusters=[*clusters, *clusters]),
    )
