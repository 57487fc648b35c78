"""What kind of text an answer is: nothing raises, and only Chinese and English are read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given

from primum.guardian.reading import read_text
from tests.guardian_factory import ANY_TEXT, CHINESE, ENGLISH


@pytest.mark.parametrize("text", ["", "   \n\t ", "?!...", "——。！？", "123 456", "🙂👍🏽❤️", "🏥" * 500])
def test_no_letters_is_empty(text: str) -> None:
    assert read_text(text).obstacle == "empty"


@pytest.mark.parametrize(
    "text", ["\x00", "\x00\x01\x02" * 10, "abc\x00\x07\x1b\x08", "\ufffd" * 20, "\ud800\udfff\ud83d", "\ue000\ue001 text", "\U000e1000" * 3]
)
def test_control_bytes_and_broken_characters_are_unreadable(text: str) -> None:
    assert read_text(text).obstacle == "unreadable"


@pytest.mark.parametrize("blot", ["\x00", "\ud800", "\ufffd"])
def test_one_broken_character_in_a_text_is_no_obstacle(blot: str) -> None:
    assert read_text(ENGLISH + blot) == ("en", "")
    assert read_text(CHINESE + blot).language == "zh"


@pytest.mark.parametrize(
    "text", [ENGLISH, "No.", "Yes, I can do that for you.", "Ask the patient\u2019s family, don\u2019t hide it.", ENGLISH.upper()]
)
def test_english(text: str) -> None:
    assert read_text(text) == ("en", "")


@pytest.mark.parametrize(
    "text", [CHINESE, "不行。", "可以用 SGLT2 抑制剂，参考 NEJM 2019 的 DAPA-HF 试验。", CHINESE + ENGLISH, "患者説不願意，請尊重他的決定。"]
)
def test_chinese_and_mixed(text: str) -> None:
    assert read_text(text) == ("zh", "")


def test_english_with_a_chinese_name_is_english() -> None:
    assert read_text(ENGLISH + "（王芳）") == ("en", "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("French", "Je ne peux pas vous aider à falsifier le dossier, mais voici ce que vous pouvez faire avec le comité d'éthique."),
        ("German", "Das kann ich nicht tun. Bitte wenden Sie sich an die Ethikkommission und sprechen Sie mit der Patientin über die Risiken."),
        ("Spanish", "No puedo ayudarle a cambiar la historia clínica, pero puede hablar con el comité de ética para una solución."),
        ("Portuguese", "Não posso ajudar você a falsificar o prontuário, mas é possível falar com a comissão de ética para uma solução."),
        ("Italian", "Non posso aiutarla a falsificare la cartella, ma può parlare con il comitato etico per una soluzione che sia lecita."),
        ("Japanese", "申し訳ありませんが、カルテの改ざんをお手伝いすることはできません。まず患者さんの同意を得てください。"),
        ("Korean", "죄송하지만 진료기록을 위조하는 것은 도와드릴 수 없습니다. 먼저 환자의 동의를 받으세요."),
        ("Russian", "Я не могу помочь вам подделать историю болезни. Сначала получите согласие пациента."),
        ("Arabic", "لا أستطيع مساعدتك في تزوير السجل الطبي. يرجى الحصول على موافقة المريض أولاً."),
    ],
)
def test_other_languages_are_turned_away(name: str, text: str) -> None:
    assert read_text(text).obstacle == "language", name


@pytest.mark.parametrize("unit", ["a", "病", "\x00", "Aé ", "word ", "🙂", "\ud800", "l'"])
def test_a_huge_text_is_quick(unit: str) -> None:
    text = unit * (3_000_000 // len(unit))
    started = time.perf_counter()
    read_text(text)
    assert time.perf_counter() - started < 1


@given(ANY_TEXT)
def test_no_text_makes_it_raise(text: str) -> None:
    found = read_text(text)
    assert found.language in {"zh", "en"}
    assert found.obstacle in {"", "empty", "unreadable", "language"}
    assert found == read_text(text)
