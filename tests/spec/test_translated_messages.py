"""Every message comes out of the catalogues as a whole, and what users wrote goes into it unread."""

from __future__ import annotations

from gettext import NullTranslations

import pytest

import backprop_cli as bp
from backprop_cli import translation
from backprop_cli.errors import BackpropError
from backprop_cli.spec.wording import count
from backprop_cli.translation import Language, written_in

LAYERS = "inputs: {x: [1, 2]}\ntargets: {y: 1}\nloss: mse\n"
EQUATIONS = "inputs: {x: [1, 2]}\nparameters: {W: [[1, 2], [3, 4]]}\nloss: J\nequations:\n"


class Bracketed(NullTranslations):
    """A catalogue that puts everything that it is asked for in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return f"⟦{singular if number == 1 else plural}⟧"


def message(text):
    with pytest.raises(BackpropError) as error:
        bp.load(text)
    return str(error.value)


def outside(text):
    """What stands in no brackets."""
    depth, found = 0, ""
    for character in text:
        depth -= character == "⟧"
        found += character if not depth and character not in "⟦⟧" else ""
        depth += character == "⟦"
    return found


@pytest.mark.parametrize(
    "text",
    [
        LAYERS + "layers: [dense: {units: '3'}]",
        LAYERS + "layers: [dense: {unts: 3}]",
        LAYERS + "layers: [dense: 3]",
        LAYERS + "layers: [dense: {units: 2, weights: [[1, 2, 3], [1]]}]",
        LAYERS + "layers: [dense: {weights: [[1, 2, 3], [1, 2, 3]]}]",
        LAYERS + "layers: [dense: {units: 3, bias: [1, 2]}]",
        LAYERS + "layers: [rnn: {units: 3}]",
        LAYERS + "layers: [max_pool1d: {size: 2}, batch_norm: {}]",
        LAYERS + "layers: [dense: {units: 2}]",
        LAYERS + "layers: [dense: {units: 1, name: p}, tanh: {name: p}]",
        LAYERS.replace("mse", "msee") + "layers: [dense: {units: 1}]",
        LAYERS + "layers: [dense: {units: 1}\nname: b",
        LAYERS + "layers: [dense: {units: 1}]\ninitial: 7\ntruncate: {h: 2}",
        EQUATIONS + "  - z[i] = sum(W[i,j]*x[j], j\n  - J = sum(z[i]^2, i)",
        EQUATIONS + "  - z[i] = sum(W[i,j]*x[j+1], j)\n  - J = sum(z[i]*v[k], i)",
        EQUATIONS + "  - J = sum(W[i]*x[i], i) + tanh(x[1], 2)",
        EQUATIONS + "  - x[i] = W[i,1]\n  - J = sum(x[i]/0, i)",
        EQUATIONS + "  - h[t] = h[t+1] + x[t]\n  - J = h[0]",
    ],
)
def test_nothing_of_a_message_stands_outside_the_catalogues(monkeypatch, text):
    monkeypatch.setattr(translation, "catalogue", lambda language: Bracketed())
    with written_in(Language.FRENCH):
        problems = message(text).splitlines()
    words = [outside(problem.removeprefix("<text>")) for problem in problems]
    assert not [word for word in words if any(character.isalpha() for character in word)]


@pytest.mark.parametrize("written", ["{name}", "{0}", "{", "}", "{}", "{hint!r:>9}"])
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (LAYERS + "layers: [dense: {units: 1}]\n'NAME': 1", "5:1: unknown key 'NAME'"),
        (LAYERS + "layers: ['NAME': 1]", "4:10: unknown layer 'NAME'"),
        (LAYERS + "layers: [{'NAME': 1, b: 2}]", "4:10: a layer has exactly one key, the kind of layer, not 'NAME'"),
        (LAYERS + "layers: [dense: {units: 'NAME'}]", "4:25: expected a whole number from 1, not text 'NAME'"),
        (LAYERS + "layers: [dense: {units: 1, activation: [z, 'NAME']}]", "4:40: expected the name of a function or"),
        (LAYERS + "layers: [dense: {units: 1, from: 'NAME'}]", "4:34: 'NAME' is not a name"),
        (LAYERS + "layers: [rnn: {units: 1, output: 'NAME'}]", "4:34: unknown output 'NAME'; expected all or last"),
        (LAYERS.replace("mse", "{'NAME': 1}") + "layers: [tanh]", "3:8: unknown loss 'NAME'"),
    ],
)
def test_braces_of_users_stay_as_they_are(written, text, problem):
    said = message(text.replace("NAME", written))
    assert f"<text>:{problem.replace('NAME', written)}" in said


def test_braces_in_the_name_of_a_run_s_input():
    program = bp.load(LAYERS + "layers: [dense: {units: 1}]").compile()
    with pytest.raises(BackpropError, match=r"^'\{x\}' is not an input, target or parameter of this network"):
        program.run({"{x}": [1, 2]})


@pytest.mark.parametrize(
    ("number", "noun", "counted"),
    [(1, "entry", "1 entry"), (2, "entry", "2 entries"), (0, "row", "0 rows"), (1200, "unit", "1,200 units")],
)
def test_counts(number, noun, counted):
    assert count(number, noun) == counted
