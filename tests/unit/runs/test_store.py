"""Compaction, views, later scorings, amendments, locks and the cache."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from primum.errors import DataMissingError, EnvironmentFault, InputError, RunLockedError
from primum.runs import layout
from primum.runs.cache import ResponseCache, cache_key
from primum.runs.compaction import compact, write_items
from primum.runs.journal import Journal
from primum.runs.store import RunStore, add_scoring, append_amendment
from primum.schema.item import Item, Message
from primum.schema.provenance import EngineIdentity
from primum.schema.response import Fault, Request, Response, Sampling, Usage
from primum.schema.score import Amendment, Score
from primum.schema.spec import RunSpec


def item(number: int) -> Item:
    return Item(
        id=f"item#{number}", task="t", language="zh", form="single_choice", question=f"问题{number}", options=("甲", "乙"), answer=("A",),
        groups={"dimension": f"E{number % 2 + 1}"},
    )  # fmt: skip


def score(key: str, value: float, scorer: str = "choice") -> Score:
    return Score(key=key, scorer=scorer, metric="accuracy", status="scored", value=value, label="A")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    layout.write_json(tmp_path / layout.SPEC, {"spec": RunSpec(task="t", model="m").model_dump(mode="json"), "language": "zh"})
    journal = Journal(tmp_path / layout.JOURNAL)
    for number in (2, 0, 1):
        key = f"item#{number}#0"
        journal.append(Response(key=key, text="A\n'\"", usage=Usage(prompt_tokens=5), choice_logprobs=(-0.1, -2.0)), [score(key, float(number % 2))])
    journal.append(Response(key="item#3#0", finish="error", fault=Fault(kind="transient", message="HTTP 500")), [
        Score(key="item#3#0", scorer="choice", metric="accuracy", status="engine_error")
    ])  # fmt: skip
    journal.close()
    compact(tmp_path, lambda: ((item(number), f"sha{number}") for number in range(4)))
    return tmp_path


def test_views_hold_everything(run: Path) -> None:
    with RunStore(run) as store:
        assert store.sql("SELECT id, prompt_sha256, groups['dimension'] FROM items ORDER BY position")[1] == ("item#1", "sha1", "E2")
        assert store.sql("SELECT item, epoch, text, prompt_tokens, choice_logprobs FROM responses WHERE key = 'item#2#0'") == [
            ("item#2", 0, "A\n'\"", 5, [-0.1, -2.0])
        ]
        assert store.sql("SELECT fault_kind FROM responses WHERE key = 'item#3#0'") == [("transient",)]
        assert store.sql("SELECT status, value FROM scores ORDER BY key") == [
            ("scored", 0.0),
            ("scored", 1.0),
            ("scored", 0.0),
            ("engine_error", None),
        ]


def test_later_scorings_are_kept_beside_earlier_ones(run: Path) -> None:
    add_scoring(run, "choice", [score("item#0#0", 1.0)])
    add_scoring(run, "human", [score("item#0#0", 0.5, scorer="human")])
    with RunStore(run) as store:
        assert store.sql("SELECT scorer, scoring, value FROM scores ORDER BY scorer") == [("choice", 1, 1.0), ("human", 2, 0.5)]
        assert store.sql("SELECT count(*) FROM all_scores") == [(6,)]


def test_amendments_apply_and_keep_the_old_score(run: Path) -> None:
    fields = {"scorer": "choice", "metric": "accuracy", "status": "scored", "who": "rater", "when": "2026-01-01", "why": "misread"}
    append_amendment(run, Amendment.model_validate({"key": "item#0#0", "value": 0.25, **fields}))
    append_amendment(run, Amendment.model_validate({"key": "item#0#0", "value": 0.75, **fields}))
    with RunStore(run) as store:
        assert store.sql("SELECT value, amended FROM scores WHERE key = 'item#0#0'") == [(0.75, True)]
        assert store.sql("SELECT value FROM all_scores WHERE key = 'item#0#0'") == [(0.0,)]
    with pytest.raises(InputError):
        append_amendment(run, Amendment.model_validate({"key": "nobody#0", "value": 1.0, **fields}))


def test_an_unfinished_or_foreign_folder_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="not a run directory"):
        RunStore(tmp_path)
    layout.write_json(tmp_path / layout.SPEC, {})
    with pytest.raises(DataMissingError, match="not finished"):
        RunStore(tmp_path)


def test_a_text_of_a_megabyte_survives_compaction(tmp_path: Path) -> None:
    layout.write_json(tmp_path / layout.SPEC, {"spec": RunSpec(task="t", model="m").model_dump(mode="json"), "language": "zh"})
    journal = Journal(tmp_path / layout.JOURNAL)
    big = "长" * 400_000
    journal.append(Response(key="item#0#0", text=big), [])
    journal.close()
    compact(tmp_path, lambda: [(item(0), "s")])
    with RunStore(tmp_path) as store:
        assert store.sql("SELECT text FROM responses") == [(big,)]
        assert store.sql("SELECT count(*) FROM scores") == [(0,)]


@pytest.mark.parametrize("count", [0, 1, 4999, 5000, 5001])
def test_items_are_written_in_whole_and_broken_batches(tmp_path: Path, count: int) -> None:
    write_items(tmp_path / "items.parquet", ((item(number), "s") for number in range(count)))
    table = pq.read_table(tmp_path / "items.parquet")
    assert table.num_rows == count
    assert table.column("position").to_pylist() == list(range(count))
    assert not list(tmp_path.glob(".*"))


def _hold(folder: str, ready: object, stop: object) -> None:
    with layout.locked(Path(folder)):
        ready.set()  # type: ignore[attr-defined]
        stop.wait(20)  # type: ignore[attr-defined]


def test_two_processes_cannot_write_one_run(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path), ready, stop))
    process.start()
    try:
        assert ready.wait(30)
        with pytest.raises(RunLockedError), layout.locked(tmp_path):
            pass
    finally:
        stop.set()
        process.join(20)
    with layout.locked(tmp_path):
        pass


def test_writing_where_it_is_not_allowed_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault), layout.locked(tmp_path / "file" / "run"):
        pass
    with pytest.raises(EnvironmentFault):
        layout.write_bytes(tmp_path / "absent" / "x.json", b"")


def test_the_cache_keeps_answers_by_what_decides_them(tmp_path: Path) -> None:
    identity = EngineIdentity(uri="u", model="m", backend="transformers", fingerprint="f" * 64)
    asked = Request(key="a#0", messages=(Message(role="user", content="q"),))
    cache = ResponseCache(tmp_path / "c.sqlite", identity)
    assert cache.get(asked) is None
    cache.put(asked, Response(key="a#0", text="A", usage=Usage(prompt_tokens=3)))
    cache.put(asked.model_copy(update={"messages": ()}), Response(key="a#0", finish="error", fault=Fault(kind="transient", message="x")))
    cache.close()
    again = ResponseCache(tmp_path / "c.sqlite", identity)
    kept = again.get(asked.model_copy(update={"key": "b#0"}))
    assert kept is not None
    assert (kept.key, kept.text, kept.cached, kept.usage.prompt_tokens) == ("b#0", "A", True, 3)
    assert again.get(asked.model_copy(update={"messages": ()})) is None
    again.close()
    others = [
        cache_key(identity.model_copy(update={"fingerprint": "g"}), asked),
        cache_key(identity, asked.model_copy(update={"sampling": Sampling(seed=1)})),
        cache_key(identity, asked.model_copy(update={"choices": ("A",)})),
    ]
    assert len({cache_key(identity, asked), *others}) == 4


def test_a_broken_cache_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_text("this is no database, but long enough to be read as one" * 20)
    with pytest.raises(EnvironmentFault, match="cache"):
        ResponseCache(tmp_path / "c.sqlite", EngineIdentity(uri="u", model="m", backend="b"))


def test_a_run_that_waits_for_its_next_answer_does_not_keep_another_from_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("primum.runs.cache._WRITE_EVERY_S", 0.0)
    identity = EngineIdentity(uri="u", model="m", backend="b")
    slow, quick = (ResponseCache(tmp_path / "c.sqlite", identity) for _ in range(2))
    asked = [Request(key=f"{n}", messages=(Message(role="user", content=f"question {n}"),)) for n in range(3)]
    slow.put(asked[0], Response(key="0", text="zero"))
    quick.put(asked[1], Response(key="1", text="one"))
    quick.close()
    slow.put(asked[2], Response(key="2", text="two"))
    assert [found.text if (found := slow.get(request)) else None for request in asked] == ["zero", "one", "two"]
    slow.close()


def test_a_locked_cache_costs_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("primum.runs.cache._WRITE_EVERY_S", 0.0)
    cache = ResponseCache(tmp_path / "c.sqlite", EngineIdentity(uri="u", model="m", backend="b"))
    cache._connection.execute("PRAGMA busy_timeout = 10")
    other = sqlite3.connect(tmp_path / "c.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    request = Request(key="0", messages=(Message(role="user", content="question"),))
    cache.put(request, Response(key="0", text="answer"))
    found = cache.get(request)
    assert found is not None and found.text == "answer"
    other.execute("ROLLBACK")
    other.close()
    cache.close()
    again = ResponseCache(tmp_path / "c.sqlite", EngineIdentity(uri="u", model="m", backend="b"))
    kept = again.get(request)
    assert kept is not None and kept.text == "answer" and kept.cached
    again.close()
