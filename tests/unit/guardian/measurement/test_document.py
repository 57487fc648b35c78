"""A measurement as JSON and Markdown: every section, every note, and whether each bar holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from primum.errors import DataFormatError, DataMissingError
from primum.guardian.measurement.document import _BEGIN, _END, as_markdown, figure_cells, put_into, write_measurement
from primum.schema.estimate import Estimate
from primum.schema.measurement import CoveragePoint, Measured, Measurement


def figure(value: float | None = 0.9, *, bar: float | None = None, at_least: bool = True, section: str = "hard pairs", **fields: Any) -> Measured:
    given = {
        "metric": "risk_accuracy", "value": value, "low": None if value is None else value - 0.05, "high": None if value is None else value + 0.05,
        "n": 0 if value is None else 100, "method": "wilson", **fields,
    }  # fmt: skip
    return Measured(section=section, subject="twin", estimate=Estimate.model_validate(given), bar=bar, at_least=at_least)


@pytest.mark.parametrize(
    ("value", "bar", "at_least", "holds"),
    [
        (0.9, 0.9, True, True), (0.91, 0.9, True, True), (0.89, 0.9, True, False), (0.02, 0.03, False, True), (0.03, 0.03, False, True),
        (0.04, 0.03, False, False), (0.9, None, True, None), (None, 0.9, True, None), (None, 0.9, False, None),
    ],
)  # fmt: skip
def test_holds(value: float | None, bar: float | None, at_least: bool, holds: bool | None) -> None:
    assert figure(value, bar=bar, at_least=at_least).holds is holds


def test_cells() -> None:
    assert figure_cells(figure(bar=0.9)) == ("twin", "risk accuracy", "0.900", "0.850 to 0.950", 100, ">= 0.9", "holds")
    assert figure_cells(figure(bar=0.97))[-2:] == (">= 0.97", "MISSED")
    assert figure_cells(figure(0.1, bar=0.03, at_least=False))[-2:] == ("<= 0.03", "MISSED")
    assert figure_cells(figure())[-2:] == ("", "")
    assert figure_cells(figure(None, bar=0.9)) == ("twin", "risk accuracy", "-", "-", 0, ">= 0.9", "")
    assert figure_cells(figure(group="language", name="zh", unscored={"abstained": 3}))[:2] == ("twin [zh]", "risk accuracy (3 without verdict)")


MEASUREMENT = Measurement(
    guardian_sha256="a" * 64,
    material_sha256="b" * 64,
    figures=(figure(section="unseen norms", bar=0.97), figure(section="out of domain"), figure(None, section="unseen norms")),
    curves={"set": (CoveragePoint(coverage=0.5, error=0.01), CoveragePoint(coverage=1.0, error=0.25)), "empty set": ()},
    notes=("first note", "second note"),
)


def test_markdown_holds_every_section_once_and_every_note() -> None:
    text = as_markdown(MEASUREMENT)
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("### ")] == [
        "### Unseen norms",
        "### Out of domain",
        "### Error when the most doubtful are left to people",
    ]
    assert "`aaaaaaaaaaaa`" in lines[0] and "`bbbbbbbbbbbb`" in lines[0]
    assert lines.count("- first note") == lines.count("- second note") == 1
    assert sum("MISSED" in line for line in lines) == 1
    (curve,) = [line for line in lines if line.startswith("| set |")]
    assert curve.split("|")[2].strip() == "0.250" and curve.split("|")[-2].strip() == "0.010"
    (empty,) = [line for line in lines if line.startswith("| empty set |")]
    assert empty.count(" - ") == 6


def test_tables_have_as_many_cells_as_their_heads() -> None:
    width = 0
    for line in as_markdown(MEASUREMENT).splitlines():
        if not line.startswith("|"):
            width = 0
            continue
        width = width or line.count("|")
        assert line.count("|") == width, line


def test_both_files_are_written_whole(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    write_measurement(folder, MEASUREMENT)
    assert sorted(path.name for path in folder.iterdir()) == ["measurement.json", "measurement.md"]
    assert Measurement.model_validate_json((folder / "measurement.json").read_bytes()) == MEASUREMENT
    assert (folder / "measurement.md").read_text(encoding="utf-8") == as_markdown(MEASUREMENT)
    before = (folder / "measurement.json").read_bytes()
    write_measurement(folder, MEASUREMENT)
    assert (folder / "measurement.json").read_bytes() == before


def test_figures_are_put_between_the_markers_of_a_document(tmp_path: Path) -> None:
    path = tmp_path / "guardian.md"
    begin, end = _BEGIN, _END
    path.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")
    put_into(path, MEASUREMENT)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{begin}\n") and text.endswith(f"{end}\nafter\n")
    assert as_markdown(MEASUREMENT) in text and "old" not in text
    put_into(path, MEASUREMENT)
    assert path.read_text(encoding="utf-8") == text
    assert [found.name for found in tmp_path.iterdir()] == ["guardian.md"]


def test_a_document_without_markers_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "guardian.md"
    with pytest.raises(DataMissingError, match="guardian.md"):
        put_into(path, MEASUREMENT)
    begin, end = _BEGIN, _END
    for text in ("nothing", f"{begin} only", f"{end}\n{begin}"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(DataFormatError, match="lacks the lines"):
            put_into(path, MEASUREMENT)
        assert path.read_text(encoding="utf-8") == text
