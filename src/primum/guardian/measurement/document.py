"""A measurement as JSON and as Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from primum.errors import DataFormatError, DataMissingError
from primum.runs.layout import write_bytes
from primum.schema.measurement import CoveragePoint, Measured, Measurement

_BEGIN: Final = "<!-- begin measured -->"
_END: Final = "<!-- end measured -->"
_SHOWN: Final = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def write_measurement(folder: Path, measurement: Measurement) -> None:
    """Write ``measurement.json`` and ``measurement.md``, each by rename."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("measurement.json", measurement.model_dump_json(indent=1) + "\n"), ("measurement.md", as_markdown(measurement))):
        write_bytes(folder / name, text.encode())


def put_into(document: Path, measurement: Measurement) -> None:
    """Rewrite what stands between the two markers of a Markdown file.

    Raises:
        DataMissingError: There is no such file.
        DataFormatError: It lacks the markers.
    """
    if not document.is_file():
        raise DataMissingError(f"{document}: no such file", remedy="name an existing Markdown file")
    text = document.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise DataFormatError(f"{document}: lacks the lines {_BEGIN} and {_END}", remedy="put both where the figures belong")
    write_bytes(document, f"{before}{begin}\n{as_markdown(measurement)}{end}{after}".encode())


def as_markdown(measurement: Measurement) -> str:
    """Tables by section, the risk-coverage curves, and the notes."""
    guardian, material = measurement.guardian_sha256[:12], measurement.material_sha256[:12]
    lines = [f"Guardian `{guardian}`, material `{material}`. 95 % intervals, clustered by norm, topic or prompt.", ""]
    for section in dict.fromkeys(figure.section for figure in measurement.figures):
        lines += [f"### {section[0].upper()}{section[1:]}", "", "| on | figure | value | 95 % interval | n | bar | |", "|---" * 7 + "|"]
        lines += ["| " + " | ".join(str(cell) for cell in figure_cells(figure)) + " |" for figure in measurement.figures if figure.section == section]
        lines.append("")
    lines += ["### Error when the most doubtful are left to people", "", "| on | " + " | ".join(f"{share:.0%} kept" for share in _SHOWN) + " |"]
    lines += ["|---|" + "---|" * len(_SHOWN)]
    lines += [f"| {name} | " + " | ".join(_error_at(points, share) for share in _SHOWN) + " |" for name, points in measurement.curves.items()]
    lines += ["", *(f"- {note}" for note in measurement.notes), ""]
    return "\n".join(lines)


def figure_cells(figure: Measured) -> tuple[str, str, str, str, int, str, str]:
    """What it is on, its name, value, interval, n, bar, and whether it holds."""
    estimate = figure.estimate
    subject = " ".join(part for part in (figure.subject, f"[{estimate.name}]" if estimate.name else "") if part)
    abstained = sum(estimate.unscored.values())
    name = estimate.metric.replace("_", " ") + (f" ({abstained} without verdict)" if abstained else "")
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return subject, name, "-", "-", estimate.n, _bar(figure), ""
    holds = {True: "holds", False: "MISSED", None: ""}[figure.holds]
    return subject, name, f"{estimate.value:.3f}", f"{estimate.low:.3f} to {estimate.high:.3f}", estimate.n, _bar(figure), holds


def _bar(figure: Measured) -> str:
    if figure.bar is None:
        return ""
    return f"{'>=' if figure.at_least else '<='} {figure.bar:g}"


def _error_at(points: Sequence[CoveragePoint], share: float) -> str:
    if not points:
        return "-"
    nearest = min(points, key=lambda point: abs(point.coverage - share))
    return f"{nearest.error:.3f}"
