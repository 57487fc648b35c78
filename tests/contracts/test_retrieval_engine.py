"""The engine contract, for an engine with norms before its prompts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from primum.alignment.retrieval_engine import NormShelf, with_retrieval
from primum.engines.scripted import open_scripted
from primum.interfaces import Engine
from primum.norms.retrieval import NormIndex
from primum.schema.norm import Norm
from tests.contracts.test_engines import (  # noqa: F401 - the contract, asked of the fixture below
    CASES,
    test_choices_get_one_finite_log_probability_each,
    test_closing_twice_is_harmless,
    test_exactly_one_response_for_each_request,
    test_it_is_an_engine_with_an_identity,
    test_nothing_asked_nothing_answered,
)
from tests.norm_factory import norm_document


@pytest.fixture(params=["scripted", "openai"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    shelf = NormShelf(NormIndex([Norm.model_validate(norm_document(number)) for number in (1, 2, 3)]), count=2)
    with CASES[request.param](tmp_path) as inner:
        yield with_retrieval(inner, shelf)


def test_the_scripted_inner_engine_weighs_choices() -> None:
    assert open_scripted("letters=AB") is not None
