"""The labelled answers: whole in both languages, split by cluster, and every fault in a file is named."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from primum.errors import ConfigError, DataFormatError, DataMissingError
from primum.guardian.material import FOLDS, HARD_FORMS, fold_of, load_material, request_text
from primum.guardian.splits import CALIBRATION_FOLD, TEST_FOLD, material_digest, split_material
from primum.norms.library import all_norms, packaged_norms
from primum.schema.guardian import LabelledExchange
from primum.schema.norm import Norm
from tests.norm_factory import both, norm_document

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def norms() -> dict[str, Norm]:
    return {norm.id: norm for norm in all_norms(packaged_norms())}


@pytest.fixture(scope="module")
def material(norms: dict[str, Norm]) -> tuple[LabelledExchange, ...]:
    return load_material(norms)


# What ships.


def test_every_norm_has_labelled_answers_of_both_classes(norms: dict[str, Norm], material: tuple[LabelledExchange, ...]) -> None:
    classes: dict[str, set[bool]] = defaultdict(set)
    for exchange in material:
        classes[exchange.cluster].add(exchange.risky)
    assert {name for name, found in classes.items() if found == {True, False}} >= set(norms)
    assert {e.cluster for e in material if e.exchange.norm} <= set(norms)


def test_both_languages_say_the_same(material: tuple[LabelledExchange, ...]) -> None:
    """All that people wrote; a model answers in one language."""
    written = [e for e in material if e.form != "model"]
    by_language = Counter(e.language for e in written)
    assert by_language["zh"] == by_language["en"]
    assert not [e for e in material if e.form == "model" and (e.source or e.pair)]
    sides: dict[str, dict[str, LabelledExchange]] = defaultdict(dict)
    for exchange in written:
        assert exchange.language not in sides[exchange.source]
        sides[exchange.source][exchange.language] = exchange
    for source, found in sides.items():
        assert set(found) == {"zh", "en"}, source
        zh, en = found["zh"], found["en"]
        for name in ("form", "cluster", "dimension", "risky", "harmfulness", "quality", "stance", "benign"):
            assert getattr(zh, name) == getattr(en, name), (source, name)


def test_pairs_have_two_members_of_opposite_labels(material: tuple[LabelledExchange, ...]) -> None:
    pairs: dict[str, list[LabelledExchange]] = defaultdict(list)
    for exchange in material:
        if exchange.pair:
            pairs[exchange.pair].append(exchange)
    assert len(pairs) > 600
    for name, members in pairs.items():
        assert sorted(e.risky for e in members) == [False, True], name
        assert len({(e.cluster, e.language, e.form) for e in members}) == 1, name
        assert members[0].form in HARD_FORMS


def test_labels_fit_each_other(material: tuple[LabelledExchange, ...]) -> None:
    for exchange in material:
        assert exchange.quality is None or not exchange.risky
        assert exchange.harmfulness is None or (exchange.harmfulness >= 3) == exchange.risky, exchange.source
        assert exchange.exchange.prompt.strip() and exchange.exchange.answer.strip()


def test_the_digest_sees_every_change(material: tuple[LabelledExchange, ...]) -> None:
    part = material[:20]
    flipped = [*part[:-1], part[-1].model_copy(update={"risky": not part[-1].risky})]
    assert len({material_digest(part), material_digest(flipped), material_digest(part[::-1])}) == 3
    assert material_digest(part) == material_digest(list(part))


# Splits.


def test_folds_are_stable() -> None:
    """A change here moves norms between training and test: figures are then no longer of unseen norms."""
    assert [fold_of(f"cluster-{number}") for number in range(12)] == [3, 1, 1, 1, 1, 3, 1, 3, 0, 3, 0, 0]
    assert {fold_of(str(number)) for number in range(60)} == set(range(FOLDS))


def test_no_cluster_stands_on_two_sides(material: tuple[LabelledExchange, ...]) -> None:
    parts = split_material(material)
    assert sum(map(len, parts.values())) == len(material)
    clusters = {name: {e.cluster for e in part} for name, part in parts.items()}
    assert (
        not clusters["test"] & clusters["train"]
        and not clusters["test"] & clusters["calibration"]
        and not clusters["calibration"] & clusters["train"]
    )
    assert {fold_of(name) for name in clusters["test"]} == {TEST_FOLD}
    assert {fold_of(name) for name in clusters["calibration"]} == {CALIBRATION_FOLD}
    assert TEST_FOLD not in {fold_of(name) for name in clusters["train"]}
    assert all({e.risky for e in part} == {True, False} for part in parts.values())


def test_half_of_the_calibration_fold_trains(material: tuple[LabelledExchange, ...]) -> None:
    parts = split_material(material)
    borrowed = {e.cluster for e in parts["train"] if fold_of(e.cluster) == CALIBRATION_FOLD}
    kept = {e.cluster for e in parts["calibration"]}
    assert 0.3 < len(kept) / (len(kept) + len(borrowed)) < 0.7


# A material folder of one's own.


def norm_entry(number: int = 1) -> dict[str, Any]:
    def safe(name: str) -> dict[str, Any]:
        return {**both(name), "quality": "1010"}

    def risky(name: str) -> dict[str, Any]:
        return {**both(name), "harmfulness": 4, "breaks": "R1"}

    return {
        "norm": f"cn-a-law-2020/art-{number}-rule",
        "edit": {"request": 0, "safe": safe("edit safe"), "unsafe": risky("edit unsafe")},
        "twin": {"request": 1, "benign": both("twin prompt"), "answer": {**risky("twin"), "quality": "0011"}},
        "hedged": {"request": 2, **risky("hedged")}, "redirect": {"request": 0, **safe("redirect")}, "neutral": {"request": 0, **safe("neutral")},
        "helpful": safe("helpful"), "refused": {**both("refused"), "stance": "refusal"}, "unsafe_help": risky("unsafe help"),
        "case": {"vignette": f"v{number}-one", "answers": [safe("c1"), safe("c2"), safe("c3"), risky("c4")]},
    }  # fmt: skip


def pair_entry(number: int = 1) -> dict[str, Any]:
    risky = {**both("unsafe"), "harmfulness": 3, "breaks": "both"}
    return {
        "norm": f"cn-a-law-2020/art-{number}-rule",
        "edits": [{"request": 1, "safe": both("s1"), "unsafe": risky}, {"prompt": both("own prompt"), "safe": both("s2"), "unsafe": risky}],
        "twins": [{"request": 0, "benign": both("b1"), "answer": risky}, {"harmful": both("h"), "benign": both("b2"), "answer": risky}],
    }


def harmful(name: str) -> dict[str, Any]:
    return {**both(name), "harmfulness": 5}


TOPIC = {
    "topic": "poison", "harmful": both("harmful"), "benign": both("benign"),
    "answers": {
        **{name: both(name) for name in ("refusal", "safe_other", "helpful", "over_refusal", "mild")},
        **{name: harmful(name) for name in ("comply", "comply_other", "shared")},
    },
}  # fmt: skip
LONG = {
    "topic": "fraud", "harmful": both("harmful"), "benign": both("benign"),
    "answers": {
        **{name: both(name) for name in ("long_safe", "long_helpful")}, **{name: harmful(name) for name in ("long_comply", "long_comply_other")},
    },
}  # fmt: skip
QUESTION = {
    "topic": "dose", "question": both("question"),
    "answers": {
        **{name: both(name) for name in ("good", "good_plain", "refused")},
        **{name: harmful(name) for name in ("unsafe", "unsafe_other")}, "edited": {**harmful("edited"), "edit_of": "good_plain"},
    },
}  # fmt: skip
REMARK = {
    "topic": "sad", "remark": both("remark"),
    "answers": {"good": both("g"), "good_other": both("g2"), "unsafe": harmful("u"), "unsafe_other": harmful("u2")},
}  # fmt: skip


def documents() -> dict[str, dict[str, Any]]:
    """One entry of each kind; YAML copies, so that a test may change them."""
    made = {
        "norms": {"entries": [norm_entry()]}, "pairs": {"entries": [pair_entry()]}, "topics": {"entries": [TOPIC]},
        "long": {"entries": [LONG]},
        "clinical": {"entries": [QUESTION]}, "remarks": {"entries": [REMARK]},
    }  # fmt: skip
    copied: dict[str, dict[str, Any]] = yaml.safe_load(yaml.safe_dump(made, allow_unicode=True))
    return copied


def write(folder: Path, made: dict[str, dict[str, Any]], name: str = "file") -> None:
    for kind, document in made.items():
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / f"{name}.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")


@pytest.fixture
def own_norms() -> dict[str, Norm]:
    made = [Norm.model_validate(norm_document(number)) for number in (1, 2)]
    return {norm.id: norm for norm in made}


def test_one_entry_of_each_kind(tmp_path: Path, own_norms: dict[str, Norm]) -> None:
    write(tmp_path, documents())
    found = load_material(own_norms, tmp_path)
    forms = Counter((e.form, e.risky) for e in found if e.language == "zh")
    assert forms == {
        ("compliant", False): 2, ("compliant_curt", False): 2, ("compliant_alarming", False): 2, ("violating", True): 2,
        ("violating_quotes_norm", True): 2, ("edit", False): 3, ("edit", True): 3, ("twin", False): 3, ("twin", True): 3, ("hedged", True): 1,
        ("redirect", False): 1, ("neutral", False): 1, ("helpful", False): 1, ("refused", False): 1, ("unsafe_help", True): 1,
        ("case", False): 3, ("case", True): 1, ("topic_refusal", False): 1, ("topic_safe_other", False): 1, ("topic_mild", False): 1,
        ("topic_comply", True): 1, ("topic_comply_other", True): 1, ("topic_helpful", False): 1, ("topic_over_refusal", False): 1,
        ("shared", False): 1, ("shared", True): 1, ("clinical_good", False): 1, ("edited", False): 1, ("edited", True): 1,
        ("long_comply", True): 2, ("long_safe", False): 1, ("long_helpful", False): 1,
        ("clinical_unsafe", True): 2, ("clinical_refused", False): 1, ("remark_safe", False): 2, ("remark_unsafe", True): 2,
    }  # fmt: skip
    case = next(e for e in found if e.form == "case" and not e.risky)
    assert case.quality == (True, False, True, False)
    assert case.benign is True
    assert {e.cluster for e in found} == {*own_norms, "file/poison", "file/dose", "file/sad", "file/fraud"}


def test_earlier_turns_stand_before_a_request(own_norms: dict[str, Norm]) -> None:
    norm = own_norms["cn-a-law-2020/art-1-rule"]
    assert request_text(norm, 2, "en") == "some first turn text\nsome second turn text\nsome last turn 1 text"


def test_a_missing_folder_is_named(tmp_path: Path, own_norms: dict[str, Norm]) -> None:
    for kind in ("norms", "pairs", "topics", "long", "clinical", "remarks"):
        made = documents()
        del made[kind]
        folder = tmp_path / kind
        write(folder, made)
        with pytest.raises(DataMissingError, match=kind):
            load_material(own_norms, folder)


def _unknown(made: dict[str, Any]) -> None:
    made["norms"]["entries"][0]["norm"] = "cn-a-law-2020/art-9-absent"


def _twice(made: dict[str, Any]) -> None:
    made["norms"]["entries"] *= 2


def _no_request(made: dict[str, Any]) -> None:
    made["norms"]["entries"][0]["redirect"]["request"] = 3


def _no_pair_request(made: dict[str, Any]) -> None:
    made["pairs"]["entries"][0]["twins"][0]["request"] = 7


def _no_vignette(made: dict[str, Any]) -> None:
    made["norms"]["entries"][0]["case"]["vignette"] = "v1-absent"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_unknown, "art-9-absent is not a norm"), (_twice, "art-1-rule stands twice"), (_no_request, "no such request"),
        (_no_pair_request, "no such request"), (_no_vignette, "v1-absent"),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_named(tmp_path: Path, own_norms: dict[str, Norm], change: Change, said: str) -> None:
    made = documents()
    change(made)
    write(tmp_path, made)
    with pytest.raises(DataFormatError, match=said) as refused:
        load_material(own_norms, tmp_path)
    assert "file.yaml" in refused.value.message and refused.value.remedy


@pytest.mark.parametrize("kind", ["norms", "pairs"])
def test_a_norm_stands_in_one_file_only(tmp_path: Path, own_norms: dict[str, Norm], kind: str) -> None:
    write(tmp_path, documents())
    write(tmp_path, {kind: documents()[kind]}, name="other")
    with pytest.raises(DataFormatError, match=r"other.yaml: .* stands twice"):
        load_material(own_norms, tmp_path)


@pytest.mark.parametrize("kind", ["topics", "long", "clinical", "remarks"])
def test_a_topic_stands_once_in_its_file(tmp_path: Path, own_norms: dict[str, Norm], kind: str) -> None:
    made = documents()
    made[kind]["entries"] *= 2
    write(tmp_path, made)
    with pytest.raises(DataFormatError, match=r"file.yaml: topic \w+ stands twice"):
        load_material(own_norms, tmp_path)


def _put(kind: str, *path: str | int, value: Any) -> Change:
    def change(made: dict[str, Any]) -> None:
        place = made[kind]["entries"][0]
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_put("norms", "helpful", "quality", value="11"), "helpful.quality"),
        (_put("norms", "helpful", "quality", value=1010), "helpful.quality"),
        (_put("norms", "hedged", "harmfulness", value=2), "hedged.harmfulness"),
        (_put("norms", "edit", "unsafe", "breaks", value="R3"), "edit.unsafe.breaks"),
        (_put("norms", "edit", "request", value=-1), "edit.request"),
        (_put("norms", "refused", "stance", value="maybe"), "refused.stance"),
        (_put("norms", "helpful", "zh", value=" "), "helpful.zh"),
        (_put("norms", "helpfull", value=both("x")), "'helpful'"),
        (_put("norms", "case", "answers", 3, value={**both("x"), "quality": "1111"}), "last one goes against"),
        (_put("norms", "case", "answers", 0, value={**both("x"), "quality": "1111", "harmfulness": 3}), "give either quality"),
        (_put("norms", "case", "answers", 0, value=both("x")), "give either quality"),
        (_put("pairs", "edits", 0, "prompt", value=both("x")), "either request"),
        (_put("pairs", "twins", 1, "request", value=0), "either request"),
        (_put("pairs", "edits", 0, "request", value=None), "either request"),
        (_put("pairs", "edits", 0, "unsafe", "harmfulness", value=6), "unsafe.harmfulness"),
        (_put("topics", "answers", "comply", "harmfulness", value=2), "comply.harmfulness"),
        (_put("clinical", "answers", "edited", "edit_of", value="refused"), "edited.edit_of"),
        (_put("remarks", "topic", value=""), "topic"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, own_norms: dict[str, Norm], change: Change, said: str) -> None:
    made = documents()
    change(made)
    write(tmp_path, made)
    with pytest.raises(ConfigError, match=r"file\.yaml:\d+: ") as refused:
        load_material(own_norms, tmp_path)
    assert said in refused.value.message
