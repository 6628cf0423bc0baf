"""Identifiers in generated code."""

from __future__ import annotations

import keyword

from hypothesis import given
from hypothesis import strategies as st

from backprop_cli.numeric.naming import RESERVED, Names


def test_plain_names_stay() -> None:
    names = Names()
    assert [names.identifier(name) for name in ("W1", "b_1", "E", "I", "N", "S", "beta")] == [
        "W1",
        "b_1",
        "E",
        "I",
        "N",
        "S",
        "beta",
    ]


def test_names_that_mean_something_get_an_underscore() -> None:
    names = Names()
    assert [names.identifier(name) for name in ("lambda", "in", "np", "print", "match")] == [
        "lambda_",
        "in_",
        "np_",
        "print_",
        "match_",
    ]


def test_greek_letters_are_spelt() -> None:
    names = Names()
    assert names.identifier("σ") == "sigma"
    assert names.identifier("Σ2") == "Sigma2"
    assert names.identifier("sigma") == "sigma_"


def test_different_names_stay_different() -> None:
    names = Names()
    assert names.identifier("ä") == "v_"
    assert names.identifier("ö") == "v__"
    assert names.numbered("t") == "t1"
    assert names.identifier("t2") == "t2"
    assert names.numbered("t") == "t3"


@given(st.lists(st.text(min_size=1), max_size=20))
def test_any_text_becomes_an_identifier_of_its_own(texts: list[str]) -> None:
    names = Names()
    found = [names.identifier(text) for text in texts]
    assert len(set(found)) == len(found)
    for name in found:
        assert name.isidentifier()
        assert name.isascii()
        assert not keyword.iskeyword(name)
        assert name not in RESERVED
