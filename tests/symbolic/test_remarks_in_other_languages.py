"""What remarks speak of is put into words when they are written out, not when they are made."""

from __future__ import annotations

from gettext import NullTranslations

import backprop_cli as bp
from backprop_cli import translation
from backprop_cli.translation import Language, written_in

SPEC = """
inputs: {x: [1, 2, 3, 4]}
targets: {y: 1}
layers: [dense: {units: 2, activation: relu}, dense: {units: 1, activation: relu}]
loss: mse
"""
KINK = "0, where its slope is taken as 0"


class Shouting(NullTranslations):
    def gettext(self, message: str) -> str:
        return message.upper()


def test_the_same_remark_in_two_languages(monkeypatch):
    steps = bp.load(SPEC).derive().steps
    about = next(note.about for step in steps for note in step.notes if note.key == "kink")
    assert dict(about) == {"function": "relu", "where": KINK}
    monkeypatch.setattr(translation, "catalogue", lambda language: Shouting())
    with written_in(Language.FRENCH):
        assert dict(about) == {"function": "relu", "where": KINK.upper()}
    assert dict(about) == {"function": "relu", "where": KINK}
