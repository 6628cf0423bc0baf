"""Findings that are English as data, and can be said in any language."""

from __future__ import annotations

import copy
import pickle

from backprop_cli.translation import Language, Statement, said, written_in


def test_a_statement_is_its_English_text() -> None:
    statement = Statement("J written out has {size:,} operations, more than {limit:,}", size=2205, limit=1500)
    assert statement == "J written out has 2,205 operations, more than 1,500"
    with written_in(Language.FRENCH):
        assert statement == "J written out has 2,205 operations, more than 1,500"
        assert said(statement) == "J développé a 2205 opérations, plus de 1500"


def test_statements_are_said_one_after_the_other() -> None:
    both = Statement.joined([Statement("a sample of the entries"), "", Statement("J is not finite"), "{other}"])
    assert both == "a sample of the entries; J is not finite; {other}"
    with written_in(Language.CHINESE):
        assert said(both) == "只取部分元素；J 不是有限值；{other}"
    assert Statement.joined(["", ""]) == ""


def test_other_texts_stay_as_they_are() -> None:
    with written_in(Language.FRENCH):
        assert said("of a user's own: {}") == "of a user's own: {}"


def test_statements_survive_copies() -> None:
    statement = Statement("the gradient has shape {shape}, the quantity {expected}", shape=(2, 3), expected=(3, 2))
    for again in (copy.deepcopy(statement), pickle.loads(pickle.dumps(statement))):
        with written_in(Language.FRENCH):
            assert said(again) == "le gradient a les dimensions (2, 3), la grandeur (3, 2)"
