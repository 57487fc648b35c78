"""Papers' experiments on fakes: published beside ours, what is not comparable said, and the packaged files checked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from primum.alignment.recipe import PaperRecipe
from primum.alignment.reproduce import RECIPES, check_published, find_recipe, load_published, run_reproduction
from primum.errors import ConfigError, DataMissingError, UnknownNameError, UsageError
from primum.schema.reproduction import PublishedFile, Reproduction
from tests.unit.alignment.arms_factory import TASKS, FakeTrainer, make_bench

RECIPE = PaperRecipe(
    paper="a", tasks=TASKS, arms=("base", "sft", "retrieval"), shares={"bank": 0.6, "benign": 0.4}, demos=500, doses=(0, 40, 500),
    groups={"toy-requests": "dimension"},
)  # fmt: skip


def published(**change: object) -> PublishedFile:
    both = {"zh": "甲", "en": "x"}
    figures = [
        {"id": "base", "title": both, "who": "M", "value": 0.4, "source": "s", "why": both, "comparable": True,
         "ours": {"arm": "base", "task": "toy-requests", "metric": "refusal"}},
        {"id": "gain", "title": both, "source": "s", "why": both,
         "ours": {"arm": "sft", "task": "toy-requests", "metric": "refusal", "change": True}},
        {"id": "e2", "title": both, "source": "s", "why": both,
         "ours": {"arm": "sft", "task": "toy-requests", "metric": "refusal", "group": "dimension", "name": "E2"}},
        {"id": "never", "title": both, "who": "M", "value": 0.5, "source": "s", "why": both},
    ]  # fmt: skip
    fields = {"paper": "a", "title": both, "citation": "c", "design": both, "ours": both, "figures": figures, **change}
    return PublishedFile.model_validate(fields)


def run(out: Path, patch: pytest.MonkeyPatch, **change: object) -> Reproduction:
    return asyncio.run(run_reproduction(make_bench(out, patch), RECIPE, published(), **change))  # type: ignore[arg-type]


def test_published_figures_stand_beside_ours_in_every_language_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(tmp_path, monkeypatch)
    ids = [(row.published.id, row.ours.language if row.ours else None) for row in result.rows]
    assert ids == [("base", "zh"), ("base", "en"), ("gain", "zh"), ("gain", "en"), ("e2", "zh"), ("e2", "en"), ("never", None)]
    gain = result.rows[3].ours
    assert gain is not None
    assert gain.difference is not None
    assert result.rows[0].published.comparable
    assert {figure.name for figure in result.details if figure.group == "dimension"} == {"E1", "E2", "E3"}
    assert result.demos == 120
    assert any("120 demonstrations instead of the 500" in note.en for note in result.notes)
    assert result.dose
    assert (tmp_path / "dose.json").exists()
    assert (tmp_path / "reproduction.json").exists()


def test_without_training_only_the_base_and_retrieval_are_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    bench = make_bench(tmp_path, monkeypatch, trainer=trainer)
    result = asyncio.run(run_reproduction(bench, RECIPE, published(), train=False, limit=5))
    assert [arm.name for arm in result.arms] == ["base", "retrieval"]
    assert trainer.trained == []
    assert not result.dose
    assert not any(row.ours for row in result.rows if row.published.id in {"gain", "e2"})
    # A sample of the items is not the published measurement.
    assert not result.rows[0].published.comparable
    assert "--limit 5" in result.rows[0].published.why.en
    asyncio.run(run_reproduction(replace(bench, teacher=None), RECIPE, published(), train=False))


def test_a_users_own_number_is_taken_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(tmp_path, monkeypatch, demos=30, doses=()).demos == 30
    with pytest.raises(UsageError, match="hold 120"):
        run(tmp_path / "b", monkeypatch, demos=200, doses=())


def test_missing_data_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench(tmp_path, monkeypatch)
    required = tuple(entry.model_copy(update={"optional": False}) for entry in TASKS)
    with pytest.raises(DataMissingError, match="no data here"):
        asyncio.run(run_reproduction(replace(bench, suite=replace(bench.suite, tasks=required)), RECIPE, published(), train=False))


@pytest.mark.parametrize("paper", sorted(RECIPES))
def test_the_packaged_figures_fit_and_each_names_its_source(paper: str) -> None:
    file = load_published(paper)
    assert file.paper == paper
    assert all(figure.source for figure in file.figures)
    assert all(figure.value is not None or "not " in figure.source for figure in file.figures)


def test_the_headline_figures_are_those_of_the_papers() -> None:
    values = {figure.id: figure.value for paper in RECIPES for figure in load_published(paper).figures}
    assert (values["baseline"], values["tuned"], values["fairness"]) == (0.427, 0.508, 0.6)
    assert (values["risk-base"], values["risk-sft"], values["knowledge-retrieval"]) == (0.1624, 0.032, 0.586)
    assert values["harm-base"] is None


def test_files_that_do_not_fit_are_refused() -> None:
    path = Path("a.yaml")
    good = published()
    with pytest.raises(ConfigError, match="stands twice"):
        check_published(good.model_copy(update={"figures": (good.figures[0], good.figures[0])}), RECIPE, path)
    with pytest.raises(ConfigError, match="not run"):
        check_published(good, replace(RECIPE, arms=("base",)), path)
    board = {"title": {"zh": "甲", "en": "x"}, "source": "s", "columns": [{"zh": "甲", "en": "x"}], "rows": [{"who": "M", "values": [1, 2]}]}
    with pytest.raises(ConfigError, match="2 values for 1 columns"):
        check_published(published(boards=[board]), RECIPE, path)


def test_unknown_papers_are_named() -> None:
    with pytest.raises(UnknownNameError, match="papers are a, b, c"):
        find_recipe("d")
