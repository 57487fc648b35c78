from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from primum.alignment import composition, judging, stopping, workflow
from primum.alignment.records import read_records
from primum.alignment.review import export_sheet, import_labels
from primum.alignment.status import read_status
from primum.alignment.workflow import align, with_rounds
from primum.errors import InputError, IntegrityError
from primum.evaluation import metrics
from primum.guardian import scorer
from primum.hashing import sha256_of
from primum.runs import layout
from primum.schema.alignment import AlignmentResult, Selected, TargetPrompt
from primum.schema.response import Request
from primum.schema.training import Demonstration, Preference
from primum.stats.resampling import Resampling
from primum.tasks.primum_bank.parts import training_norms
from tests.alignment_factory import FakeGuardian, FakeModels, FakeTrainer, base_script, make_order, refusing_script, small_spec, tuned_script


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(scorer, "packaged", FakeGuardian)
    monkeypatch.setattr(composition, "find_held_out", lambda rows, texts: {})
    # Intervals of every group of every run are most of an evaluation by a scripted engine, and are tested elsewhere.
    for module in (metrics, stopping):
        monkeypatch.setattr(module, "Resampling", lambda seed=0, level=0.95: Resampling(seed=seed, level=level, resamples=100, permutations=99))
    yield


async def test_a_round_that_helps_is_kept_and_everything_is_written(tmp_path: Path) -> None:
    notes: list[str] = []
    out = tmp_path / "out"
    trainer = FakeTrainer()
    result = await align(make_order(out, FakeModels(), trainer, notes=notes))
    assert result.best == 1 and result.rounds[0].better and result.rounds[0].gain.low > 0
    assert result.adapter == "round-1/sft/adapter" and layout.read_json(out / "best.json")["round"] == 1
    folder = out / "round-1"
    for name in ("prompts", "samples", "verdicts", "accepted", "pairs", "review", "data", "selected", "labels"):
        assert (folder / f"{name}.jsonl").is_file(), name
    steps = layout.read_json(folder / "round.json")["steps"]
    assert set(steps) == {"prompts", "samples", "verdicts", "selection", "labels", "data", "sft", "decision"}
    assert steps["verdicts"]["provenance"]["guardian"] == FakeGuardian.sha256
    assert (out / "final" / "base" / "runs").is_dir() and (out / "final" / "round-1" / "runs").is_dir()
    assert AlignmentResult.model_validate(layout.read_json(out / "result.json")) == result
    assert any("not certified" in note for note in result.notes) and result.uncertified
    assert not list(folder.glob("*.journal"))
    assert read_status(out)["finished"] and read_status(out)["folders"]
    data = read_records(folder / "data.jsonl", Demonstration)
    trainable = {norm.id for norm in training_norms()}
    assert all(not row.norm or row.norm in trainable for row in data)
    assert {row.origin for row in data} >= {"bank", "benign", "choice", "general", "sampled"}
    assert {row.language for row in data} == {"zh", "en"}


async def test_the_same_order_makes_the_same_data(tmp_path: Path) -> None:
    digests = []
    for name in ("a", "b"):
        out = tmp_path / name
        await align(make_order(out, FakeModels(), FakeTrainer()))
        digests.append([(out / "round-1" / f"{part}.jsonl").read_bytes() for part in ("prompts", "samples", "verdicts", "data", "pairs")])
    assert digests[0] == digests[1]


async def test_a_finished_alignment_asks_and_trains_nothing_again(tmp_path: Path) -> None:
    first = await align(make_order(tmp_path / "out", FakeModels(), FakeTrainer()))
    models, trainer = FakeModels(), FakeTrainer()
    again = await align(make_order(tmp_path / "out", models, trainer))
    assert again.model_dump(exclude={"seconds"}) == first.model_dump(exclude={"seconds"})
    assert not models.opened and not trainer.trained


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("at", (1, 8, 14, 20, 26))
async def test_killed_at_any_write_the_same_command_goes_on_and_ends_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Every file is written by ``write_bytes`` (the journal apart): dying at the n-th leaves what a kill would leave."""
    out = tmp_path / "out"
    real = layout.write_bytes
    count = 0

    def dying(path: Path, payload: bytes) -> None:
        nonlocal count
        if out in path.parents and "runs" not in path.parts:
            count += 1
            if count == at + 1:
                raise _Killed
        real(path, payload)

    monkeypatch.setattr(layout, "write_bytes", dying)
    spec = small_spec(method="sft+dpo")
    with pytest.raises(_Killed):
        await align(make_order(out, FakeModels(), FakeTrainer(), spec))
    monkeypatch.setattr(layout, "write_bytes", real)
    resumed = await align(make_order(out, FakeModels(), FakeTrainer(), spec))
    assert resumed.best == 1 and resumed.adapter == "round-1/dpo/adapter"
    assert layout.read_json(out / "best.json")["sha256"] == resumed.adapter_sha256


async def test_sampling_goes_on_at_the_answer(tmp_path: Path) -> None:
    out = tmp_path / "out"
    calls = 0

    def dying(request: Any) -> str:
        nonlocal calls
        if "~" in request.key:
            calls += 1
            if calls == 10:
                raise _Killed
        return base_script(request)

    with pytest.raises(_Killed):
        await align(make_order(out, FakeModels(base=dying), FakeTrainer()))
    models = FakeModels()
    await align(make_order(out, models, FakeTrainer()))
    assert len([key for key in models.asked if "~" in key]) == 12 * 3 - 9


async def test_a_model_that_refuses_everything_breaks_the_guard_and_is_not_kept(tmp_path: Path) -> None:
    result = await align(make_order(tmp_path / "out", FakeModels(scripts=(refusing_script,)), FakeTrainer(), small_spec()))
    assert result.best == 0 and result.final_best == result.final_base == "final/base" and not result.adapter
    assert result.rounds[0].stop and "guard rail" in result.rounds[0].why.en
    assert result.rounds[0].gain.low > 0


def half_tuned_script(request: Request) -> str:
    """Safe on half of the requests: there is something left to mend."""
    return tuned_script(request) if sha256_of(request.messages[-1].content) < "8" else base_script(request)


async def test_the_best_round_is_kept_not_the_last(tmp_path: Path) -> None:
    models, trainer = FakeModels(scripts=(half_tuned_script, base_script)), FakeTrainer()
    result = await align(with_rounds(make_order(tmp_path / "out", models, trainer), 3))
    assert [decision.better for decision in result.rounds] == [True, False] and result.best == 1
    assert result.final_best == "final/round-1" and layout.read_json(tmp_path / "out" / "best.json")["round"] == 1


async def test_a_model_without_failures_ends_the_loop_with_its_result(tmp_path: Path) -> None:
    result = await align(with_rounds(make_order(tmp_path / "out", FakeModels(), FakeTrainer()), 3))
    assert result.best == 1 and len(result.rounds) == 1 and any("failed nowhere" in note for note in result.notes)
    with pytest.raises(InputError, match="failed nowhere"):
        await align(make_order(tmp_path / "other", FakeModels(base=tuned_script), FakeTrainer()))


async def test_no_gain_stops(tmp_path: Path) -> None:
    trainer = FakeTrainer()
    result = await align(with_rounds(make_order(tmp_path / "out", FakeModels(scripts=(base_script,)), trainer), 3))
    assert result.best == 0 and len(result.rounds) == 1 and "includes zero" in result.rounds[0].why.en


async def test_peoples_labels_change_the_next_round(tmp_path: Path) -> None:
    out = tmp_path / "out"
    spec = small_spec(method="sft+dpo")
    models, trainer = FakeModels(scripts=(base_script, tuned_script)), FakeTrainer()
    await align(make_order(out, models, trainer, spec))
    selected = read_records(out / "round-1" / "selected.jsonl", Selected)
    accepted = [entry for entry in selected if entry.fate == "accepted"]
    unsure = [entry for entry in selected if entry.fate == "unsure"]
    assert accepted and unsure and all(entry.review == "uncertain" for entry in unsure)
    sheet = tmp_path / "sheet.csv"
    assert export_sheet(out, sheet) >= len(unsure)
    assert b"uncertain" not in sheet.read_bytes() and b"0.9" not in sheet.read_bytes()
    labels = tmp_path / "labels.csv"
    labels.write_text(f"id,label,who\n{accepted[0].id},reject,Dr A\n{unsure[0].id},accept,Dr A\n", encoding="utf-8")
    assert import_labels(out, labels) == (2, 0)
    first = (out / "round-1" / "data.jsonl").read_bytes()
    result = await align(with_rounds(make_order(out, models, trainer, spec), 2))
    assert result.best == 2 and (out / "round-1" / "data.jsonl").read_bytes() == first
    rows = {row.id for row in read_records(out / "round-2" / "data.jsonl", Demonstration)}
    assert f"sampled/{accepted[0].id}" not in rows and f"sampled/{unsure[0].id}" in rows
    pairs = {row.id for row in read_records(out / "round-2" / "pairs.jsonl", Preference)}
    assert f"pair/{accepted[0].id}" in pairs
    made = layout.read_json(out / "round-2" / "composition.json")
    assert made["removed"] == 1 and made["added"] == 1


async def test_another_order_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    await align(make_order(out, FakeModels(), FakeTrainer()))
    with pytest.raises(IntegrityError, match="another order"):
        await align(make_order(out, FakeModels(), FakeTrainer(), small_spec(seed=5)))
    with pytest.raises(IntegrityError, match="another base"):
        await align(make_order(out, FakeModels(), FakeTrainer(fingerprint="c" * 64)))


async def test_a_changed_file_is_made_again_and_said(tmp_path: Path) -> None:
    out = tmp_path / "out"
    await align(make_order(out, FakeModels(), FakeTrainer()))
    path = out / "round-1" / "verdicts.jsonl"
    before = path.read_bytes()
    path.write_bytes(before[: len(before) // 2])
    notes: list[str] = []
    await align(make_order(out, FakeModels(), FakeTrainer(), notes=notes))
    assert path.read_bytes() == before and any("verdicts.jsonl" in note and "done again" in note for note in notes)


async def test_a_search_chooses_the_recipe_once(tmp_path: Path) -> None:
    trainer = FakeTrainer()
    await align(make_order(tmp_path / "out", FakeModels(), trainer, small_spec(search=True)))
    assert trainer.trained == ["search", "sft"]
    await align(make_order(tmp_path / "out", FakeModels(), trainer, small_spec(search=True)))
    assert trainer.trained == ["search", "sft"]


async def test_prompts_are_of_training_norms_and_both_languages(tmp_path: Path) -> None:
    await align(make_order(tmp_path / "out", FakeModels(), FakeTrainer()))
    prompts = read_records(tmp_path / "out" / "round-1" / "prompts.jsonl", TargetPrompt)
    trainable = {norm.id for norm in training_norms()}
    assert len(prompts) == 12 and {prompt.norm for prompt in prompts} <= trainable
    assert {prompt.language for prompt in prompts} == {"zh", "en"}


def test_identity_is_of_the_order(tmp_path: Path) -> None:
    order = make_order(tmp_path / "out", FakeModels(), FakeTrainer())
    assert sha256_of(workflow.identity_of(order)) == sha256_of(workflow.identity_of(order))
    assert judging.find_fault("", "x", "en") == "empty"
