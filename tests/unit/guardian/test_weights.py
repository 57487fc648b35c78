"""Weights on disk: equal arrays, equal bytes; a changed byte is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from primum.errors import ConfigError, DataMissingError, IntegrityError
from primum.guardian.guardian import Guardian
from primum.guardian.weights import CARD, WEIGHTS, GuardianCard, load_card, load_weights, packaged_guardian, save_card, save_weights
from tests.guardian_factory import card

ARRAYS = {"b": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), "a": np.array([0.5, 2.0], np.float32)}


def saved(folder: Path) -> GuardianCard:
    base = card()
    digest = save_weights(folder, ARRAYS)
    made = base.model_copy(update={"origin": base.origin.model_copy(update={"weights_sha256": digest})})
    save_card(folder, made)
    return made


def test_round_trip(tmp_path: Path) -> None:
    made = saved(tmp_path)
    found, arrays = load_weights(tmp_path)
    assert found == made == load_card(tmp_path)
    assert set(arrays) == {"a", "b"}
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == np.float32
        np.testing.assert_array_equal(arrays[name], array.astype(np.float16).astype(np.float32))
    assert sorted(path.name for path in tmp_path.iterdir()) == [CARD, WEIGHTS]


def test_equal_arrays_give_equal_bytes(tmp_path: Path) -> None:
    one = save_weights(tmp_path / "one", ARRAYS)
    two = save_weights(tmp_path / "two" / "deeper", dict(reversed(ARRAYS.items())))
    assert one == two
    assert (tmp_path / "one" / WEIGHTS).read_bytes() == (tmp_path / "two" / "deeper" / WEIGHTS).read_bytes()
    assert save_weights(tmp_path / "three", {**ARRAYS, "a": ARRAYS["a"] + 1}) != one


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    saved(tmp_path)
    path = tmp_path / WEIGHTS
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=WEIGHTS) as refused:
        Guardian.load(tmp_path)
    assert str(path) in refused.value.message and "not used" in refused.value.remedy


@pytest.mark.parametrize("missing", [WEIGHTS, CARD])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    saved(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(DataMissingError, match=missing) as refused:
        Guardian.load(tmp_path)
    assert "guardian train" in refused.value.remedy


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError):
        Guardian.load(tmp_path / "absent")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"not json"])
def test_a_card_that_is_not_json(tmp_path: Path, content: bytes) -> None:
    saved(tmp_path)
    (tmp_path / CARD).write_bytes(content)
    with pytest.raises(IntegrityError, match=CARD):
        load_weights(tmp_path)


@pytest.mark.parametrize("change", [{"fussion": {}}, {"doubt": {}}, {"origin": None}])
def test_a_card_that_does_not_fit(tmp_path: Path, change: dict[str, object]) -> None:
    document = {**saved(tmp_path).model_dump(mode="json"), **change}
    (tmp_path / CARD).write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ConfigError, match=CARD) as refused:
        load_card(tmp_path)
    assert next(iter(change)) in refused.value.message


def test_the_nearest_key_is_named(tmp_path: Path) -> None:
    (tmp_path / CARD).write_text(json.dumps({**saved(tmp_path).model_dump(mode="json"), "fussion": {}}), encoding="utf-8")
    with pytest.raises(ConfigError, match="'fusion'"):
        load_card(tmp_path)


def test_the_packaged_guardian_is_whole() -> None:
    found, arrays = load_weights(packaged_guardian())
    assert found.name == "guardian"
    assert all(np.isfinite(array).all() for array in arrays.values())
    assert arrays["centres"].shape[1] == 1024
    np.testing.assert_allclose(np.linalg.norm(arrays["centres"], axis=1), 1, atol=0.01)
