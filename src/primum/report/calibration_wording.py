"""The words of a judge's calibration, in Chinese and in English; they live in ``data/ui/calibration.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from primum.report.wording import fill, group_title, read_phrases, same_in_both, status_name
from primum.schema.base import Bilingual


@cache
def calibration_phrases() -> Mapping[str, Bilingual]:
    """Every phrase by its dotted key.

    Raises:
        ConfigError: The file lacks one of the two languages somewhere.
    """
    return read_phrases("calibration.yaml")


def tell_calibration(key: str, **parts: object) -> Bilingual:
    """One phrase with its ``{parts}`` filled in; a bilingual part is filled in the language of the sentence.

    Raises:
        KeyError: There is no such phrase, or a part is missing: a fault of the page, not of its data.
    """
    return fill(calibration_phrases()[key], parts)


def figure_name(metric: str) -> Bilingual:
    """A figure, such as ``kappa``, in words."""
    return calibration_phrases().get(f"metric.{metric}") or same_in_both(metric)


def gap_name(status: str) -> Bilingual:
    """Why there is no figure or verdict, such as ``abstained``, in words."""
    return calibration_phrases().get(f"gap.{status}") or status_name(status)


def breakdown_name(group: str) -> Bilingual:
    """A breakdown in words; a column of the user's own is shown as it stands."""
    return calibration_phrases().get(f"group.{group}") or group_title(group)
