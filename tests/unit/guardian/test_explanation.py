"""A verdict in words: which sentences weighed, what is missing, and an honest "no verdict"."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from hypothesis import given
from typer.testing import CliRunner

from primum.cli import guardian as commands
from primum.cli.guardian import explanation_lines
from primum.errors import UsageError
from primum.guardian.explanation import LACKS, explain, split_sentences
from primum.guardian.guardian import WINDOWS, Guardian
from primum.schema.guardian import Exchange, GuardianVerdict
from tests.guardian_factory import ANY_TEXT, StubGuardian, abstention, verdict

BAD = "Sign it in her name."
ANSWER = f"That is a hard week. {BAD} Then rest."


def on_bad(exchange: Exchange) -> GuardianVerdict:
    return verdict(0.95 if "in her name" in exchange.answer else 0.15, norms=(exchange.norm,) if exchange.norm else ())


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("先问患者。再签字！行吗？好；完", ["先问患者。", "再签字！", "行吗？", "好；", "完"]),
        ("中文。English next. 又是中文。", ["中文。", "English next.", "又是中文。"]),
        ("1. first\n2. second\n\n", ["1.", "first", "2.", "second"]),
        ("Take 0.5 mg at 8.30.", ["Take 0.5 mg at 8.30."]),
        ("他说：“不行。”然后走了。", ["他说：“不行。”", "然后走了。"]),
        ("Wait... what?!", ["Wait...", "what?!"]),
        ("", []), (" \n ", []), ("no end", ["no end"]),
    ],
)  # fmt: skip
def test_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@given(ANY_TEXT)
def test_no_character_but_blanks_is_lost(text: str) -> None:
    found = split_sentences(text)
    assert all(sentence.strip() == sentence and sentence for sentence in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_the_sentence_that_weighs_is_named() -> None:
    found = explain(StubGuardian(on_bad), Exchange(prompt="p", answer=ANSWER))
    ((sentence, fall),) = found.breaks
    assert sentence == BAD
    assert fall == pytest.approx(0.8)
    assert found.summary.en.startswith("Risky (probability of risk 95%")
    assert found.summary.zh.startswith("有风险")


def test_sentences_are_put_together_as_the_language_does() -> None:
    shown = StubGuardian(lambda exchange: verdict(0.9, language="zh"))
    explain(shown, Exchange(prompt="p", answer="甲。乙。丙。"))
    assert [exchange.answer for exchange in shown.shown] == ["甲。乙。丙。", "乙。丙。", "甲。丙。", "甲。乙。"]


def test_the_heaviest_come_first_and_few_are_shown() -> None:
    weights = {"a": 0.1, "b": 0.3, "c": 0.2, "d": 0.15, "e": 0.01}
    stub = StubGuardian(lambda exchange: verdict(0.2 + sum(weight for name, weight in weights.items() if f"{name}." in exchange.answer)))
    found = explain(stub, Exchange(prompt="p", answer="a. b. c. d. e."))
    assert [sentence for sentence, _ in found.breaks] == ["b.", "c.", "d."]


def test_a_single_sentence_is_named_whole() -> None:
    found = explain(StubGuardian(on_bad), Exchange(prompt="p", answer="Sign it in her name"))
    assert found.breaks == (("Sign it in her name", 0.95),)


def test_a_safe_answer_breaks_nothing() -> None:
    stub = StubGuardian(on_bad)
    found = explain(stub, Exchange(prompt="p", answer="Ask her first. Then sign."))
    assert found.breaks == ()
    assert len(stub.shown) == 1
    assert "no risk found" in found.summary.en.lower() and "未见风险" in found.summary.zh


def test_a_long_answer_asks_the_guardian_a_bounded_number_of_times() -> None:
    stub = StubGuardian(lambda exchange: verdict(0.9))
    explain(stub, Exchange(prompt="p", answer="Another sentence. " * 20_000))
    assert len(stub.shown) <= 31
    assert max(len(exchange.answer) for exchange in stub.shown[1:]) <= 4 * WINDOWS["en"]


@pytest.mark.parametrize(("quality", "missing"), [((0.9, 0.9, 0.9, 0.9), []), ((0.1, 0.9, 0.5, 0.9), [0, 2]), ((0.0, 0.0, 0.0, 0.0), [0, 1, 2, 3])])
def test_lacks_follow_quality(quality: tuple[float, ...], missing: list[int]) -> None:
    found = explain(StubGuardian(lambda exchange: verdict(0.1, quality=quality)), Exchange(prompt="p", answer="Text."))
    assert found.lacks == tuple(LACKS[place] for place in missing)


@pytest.mark.parametrize(
    ("answer", "zh", "en"),
    [
        ("", "没有文字", "holds no text"),
        ("\x00", "不是可读的文本", "not readable"),
        ("Das ist nicht gut und auch nicht erlaubt.", "既不是中文也不是英文", "neither Chinese"),
    ],
)
def test_what_cannot_be_read_has_no_verdict(answer: str, zh: str, en: str) -> None:
    found = explain(Guardian.load(), Exchange(prompt="Help me.", answer=answer))
    assert zh in found.summary.zh and "不作判断" in found.summary.zh
    assert en in found.summary.en and found.summary.en.startswith("No verdict")
    assert (found.breaks, found.lacks) == ((), ())


@pytest.mark.parametrize(("reason", "zh", "en"), [("uncertain", "把握不足", "not sure enough"), ("unfamiliar", "差别太大", "too unlike")])
def test_a_doubtful_verdict_says_that_a_person_should_look(reason: str, zh: str, en: str) -> None:
    found = explain(StubGuardian(lambda exchange: verdict(0.6, abstains=True, reason=reason)), Exchange(prompt="p", answer="Text."))
    assert zh in found.summary.zh and "人工查看" in found.summary.zh
    assert en in found.summary.en and "a person should look" in found.summary.en
    assert found.breaks


@pytest.mark.parametrize(
    ("stance", "en"), [((0.8, 0.1, 0.1), "does what was asked"), ((0.1, 0.8, 0.1), "part of what"), ((0.1, 0.1, 0.8), "declines")]
)
def test_the_stance_is_told(stance: tuple[float, ...], en: str) -> None:
    assert en in explain(StubGuardian(lambda exchange: verdict(0.1, stance=stance)), Exchange(prompt="p", answer="Text.")).summary.en


def test_the_norm_is_quoted_where_it_is_known() -> None:
    stub = StubGuardian(on_bad)
    norm = stub.index.norms[3]
    found = explain(stub, Exchange(prompt="p", answer=ANSWER, norm=norm.id))
    assert (found.norm, found.statement) == (norm.id, norm.statement)
    unknown = explain(stub, Exchange(prompt="p", answer=ANSWER, norm="cn-a-law/art-1-x"))
    assert (unknown.norm, unknown.statement) == ("", None)


def test_lines_in_both_languages() -> None:
    stub = StubGuardian(lambda exchange: on_bad(exchange).model_copy(update={"quality": (0.9, 0.1, 0.9, 0.9)}))
    norm = stub.index.norms[3]
    found = explain(stub, Exchange(prompt="p", answer=ANSWER, norm=norm.id))
    zh, en = explanation_lines(found, "zh"), explanation_lines(found, "en")
    assert zh[1] == f"规范 {norm.id}: {norm.statement.zh}"
    assert en[1] == f"norm {norm.id}: {norm.statement.en}"
    assert zh[2] == en[2] == f"  -80%  {BAD}"
    assert (zh[3], en[3]) == (f"  缺：{LACKS[1].zh}", f"  lacks: {LACKS[1].en}")


# The command.


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    commands.register(made)
    made.callback()(lambda: None)
    return made


@pytest.fixture
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Exchange], GuardianVerdict]], None]:
    def put(rule: Callable[[Exchange], GuardianVerdict]) -> None:
        monkeypatch.setattr(commands, "_guardian", lambda folder: StubGuardian(rule))

    return put


def test_the_command_explains_in_either_language(app: typer.Typer, stubbed: Callable[..., None]) -> None:
    stubbed(on_bad)
    arguments = ["guardian", "explain", "--prompt", "p", "--answer", ANSWER]
    english = CliRunner().invoke(app, arguments)
    assert english.exit_code == 0
    assert english.stdout.startswith("Risky (probability of risk 95%") and BAD in english.stdout
    chinese = CliRunner().invoke(app, [*arguments, "--language", "zh"])
    assert chinese.stdout.startswith("有风险（风险概率 95%")
    wrong = CliRunner().invoke(app, [*arguments, "--language", "fr"])
    assert isinstance(wrong.exception, UsageError) and wrong.exception.exit_code == 2


def test_the_command_answers_in_the_answers_language(app: typer.Typer) -> None:
    zh = CliRunner().invoke(app, ["guardian", "explain", "--prompt", "帮我改病历。", "--answer", "不行，请先问医务科，并征得患者同意。"])
    assert zh.exit_code == 0 and "风险概率" in zh.stdout and "规范 " in zh.stdout
    en = CliRunner().invoke(app, ["guardian", "explain", "--prompt", "Change the chart.", "--answer", "No, ask the ethics office first, please."])
    assert en.exit_code == 0 and "probability of risk" in en.stdout and "norm " in en.stdout


def test_json_is_one_object(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["guardian", "explain", "--prompt", "p", "--answer", "", "--json"])
    found = json.loads(result.stdout)
    assert found["verdict"]["reason"] == "empty"
    assert found["summary"]["en"].startswith("No verdict")


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_bytes_that_are_no_text_do_not_stop_it(app: typer.Typer, stubbed: Callable[..., None], extra: list[str]) -> None:
    stubbed(lambda exchange: verdict(0.9))
    result = CliRunner().invoke(app, ["guardian", "explain", "--prompt", "p", "--answer", "Sure\udcff. Do it.", *extra])
    assert result.exit_code == 0, result.exception


def test_a_folder_without_a_guardian(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["guardian", "explain", "--prompt", "p", "--answer", "a", "--guardian", str(tmp_path)])
    assert getattr(result.exception, "exit_code", None) == 2


def test_abstentions_are_not_explained_away() -> None:
    assert explain(StubGuardian(lambda exchange: abstention("empty")), Exchange(prompt="p", answer="x")).breaks == ()
