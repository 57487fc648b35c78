"""Arms on fakes: one training for several arms, pairs with the base, Holm over all, resumed work, and every refusal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from primum.alignment.arms import check_arms, run_arms
from primum.alignment.composition import SHARES
from primum.errors import DataMissingError, IntegrityError, UnknownNameError, UsageError
from primum.norms.retrieval import NormIndex
from primum.runs import layout
from primum.schema.arms import ArmsResult
from tests.unit.alignment.arms_factory import FakeTrainer, make_bench

ARMS = ("base", "retrieval", "sft", "sft+dpo", "sft+retrieval")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FakeTrainer, ArmsResult]:
    out, trainer = tmp_path_factory.mktemp("arms"), FakeTrainer()
    with pytest.MonkeyPatch.context() as patch:
        result = asyncio.run(run_arms(make_bench(out, patch, trainer=trainer), ARMS, demos=40))
    return out, trainer, result


def test_every_arm_is_measured_and_adapters_are_trained_once(finished: tuple[Path, FakeTrainer, ArmsResult]) -> None:
    out, trainer, result = finished
    assert [entry.arm.name for entry in result.arms] == list(ARMS)
    assert trainer.trained == ["sft-40-seed-1", "dpo-40-seed-1"]
    places = {(figure.task, figure.language, figure.card.name) for figure in result.arms[0].figures}
    assert ("toy-requests", "zh", "refusal") in places
    assert ("toy-benign", "en", "over_refusal") in places
    for entry in result.arms[1:]:
        assert {(figure.task, figure.language, figure.card.name) for figure in entry.figures} == places
    assert ArmsResult.model_validate(layout.read_json(out / "arms.json")) == result


def test_differences_are_to_the_base_and_holm_covers_all_of_them(finished: tuple[Path, FakeTrainer, ArmsResult]) -> None:
    result = finished[2]
    assert all(figure.difference is None for figure in result.arms[0].figures)
    differences = [figure.difference for entry in result.arms[1:] for figure in entry.figures if figure.difference is not None]
    assert result.comparisons == len(differences) > 10
    assert all(difference.p_holm is not None and difference.p_holm >= difference.p_value for difference in differences)
    smallest = min(differences, key=lambda difference: difference.p_value)
    assert smallest.p_holm == pytest.approx(min(1.0, smallest.p_value * len(differences)))


def test_what_was_taught_is_told(finished: tuple[Path, FakeTrainer, ArmsResult]) -> None:
    arms = {entry.arm.name: entry.arm for entry in finished[2].arms}
    assert arms["base"].taught is None
    taught = arms["sft+retrieval"].taught
    assert taught is not None
    assert taught.demonstrations == {"bank": 24, "benign": 16}
    assert sum(taught.languages.values()) == 40
    assert arms["sft+retrieval"].norms == 3
    preferred = arms["sft+dpo"].taught
    assert preferred is not None
    assert preferred.preferences > 0
    assert any("toy-absent" in note.en for note in finished[2].notes)


def test_the_same_command_again_trains_and_asks_nothing(finished: tuple[Path, FakeTrainer, ArmsResult], monkeypatch: pytest.MonkeyPatch) -> None:
    out, _, result = finished
    again = FakeTrainer()
    assert asyncio.run(run_arms(make_bench(out, monkeypatch, trainer=again), ARMS, demos=40)) == result
    assert again.trained == []


def test_one_more_arm_joins_a_finished_folder(finished: tuple[Path, FakeTrainer, ArmsResult], monkeypatch: pytest.MonkeyPatch) -> None:
    more = FakeTrainer()
    result = asyncio.run(run_arms(make_bench(finished[0], monkeypatch, trainer=more), (*ARMS, "sft+dpo+retrieval"), demos=40))
    assert more.trained == []
    assert result.arms[-1].arm.name == "sft+dpo+retrieval"


def test_another_question_in_the_folder_is_refused(finished: tuple[Path, FakeTrainer, ArmsResult], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IntegrityError, match="another model"):
        asyncio.run(run_arms(make_bench(finished[0], monkeypatch, model="other:"), ARMS, demos=40))


def test_unknown_arms_are_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="no arm 'sft\\+dop'") as caught:
        check_arms(["sft+dop"])
    assert "sft+dpo" in str(caught.value)
    assert check_arms(["sft", "sft"]) == ("base", "sft")


def test_more_demonstrations_than_there_are_says_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="121 demonstrations were asked for; bank, benign hold 120"):
        asyncio.run(run_arms(make_bench(tmp_path, monkeypatch), ["sft"], demos=121))
    with pytest.raises(UsageError, match="0 demonstrations"):
        asyncio.run(run_arms(make_bench(tmp_path / "b", monkeypatch), ["sft"], demos=0))


def test_nothing_to_teach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataMissingError, match="nothing to teach"):
        asyncio.run(run_arms(make_bench(tmp_path, monkeypatch, shares={"medsafetybench": 1.0}), ["sft"], demos=5))


def test_arms_that_need_weights_or_norms_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench(tmp_path, monkeypatch)
    with pytest.raises(UsageError, match="needs weights"):
        asyncio.run(run_arms(replace(bench, teacher=None), ["sft"], demos=5))
    with pytest.raises(UsageError, match="needs norms"):
        asyncio.run(run_arms(replace(bench, shelf=None), ["retrieval"], demos=5))


def test_an_adapter_of_another_base_is_refused_before_anything_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = tmp_path / "given" / "adapter"
    adapter.mkdir(parents=True)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        layout.write_json(adapter / name, {"sft": 20})
    layout.write_json(tmp_path / "given" / "outcome.json", {"base_sha256": "0" * 64})
    bench = make_bench(tmp_path / "out", monkeypatch, given={"sft": adapter})
    with pytest.raises(UsageError, match="made for a base with weights 000000000000"):
        asyncio.run(run_arms(bench, ["sft"], demos=5))
    assert not (tmp_path / "out" / "runs-of").exists()
    layout.write_json(tmp_path / "given" / "outcome.json", {"base_sha256": "f" * 64})
    result = asyncio.run(run_arms(bench, ["sft"], demos=5))
    assert result.arms[1].arm.taught is not None
    with pytest.raises(UsageError, match="not an adapter folder"):
        asyncio.run(run_arms(make_bench(tmp_path / "c", monkeypatch, given={"sft": tmp_path}), ["sft"], demos=5))


def test_an_empty_library_is_refused() -> None:
    from primum.alignment.retrieval_engine import NormShelf

    with pytest.raises(DataMissingError, match="empty library"):
        NormShelf(NormIndex(()))


def test_shares_of_every_mix_are_parts_of_one_whole() -> None:
    assert set(SHARES) == {"medical", "general", "both"}
    assert all(sum(parts.values()) == pytest.approx(1) for parts in SHARES.values())
