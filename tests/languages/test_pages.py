"""Nothing on a page is left in English: in a language that marks every message, no word stands outside the marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import NullTranslations
from html import unescape
from string import Formatter

import pytest

from backprop_cli import translation
from backprop_cli.bundled import bundled_names, bundled_spec
from backprop_cli.documents.run_tables import run_document
from backprop_cli.documents.verification import verification_document
from backprop_cli.library.functions import FUNCTIONS
from backprop_cli.network import Network, load_text
from backprop_cli.options import WalkView
from backprop_cli.questions import Question
from backprop_cli.renderers import html, markdown, terminal
from backprop_cli.symbolic.graph import Role
from backprop_cli.teaching.linear import WORDS as LINEAR_WORDS
from backprop_cli.teaching.modules import LINEAR, SO_FAR, TORCH, Method
from backprop_cli.translation import Language, written_in
from backprop_cli.walking import PerturbedWalk, Request, Walk

SMALL = ("two-two-two", "nearest-neighbour")
NAMES = {*FUNCTIONS, "identity", "argmin", "argmax", "SymPy", "PyTorch", "HIPS", "autograd", "nan", "inf"}
NAMES |= {LINEAR, *TORCH.values(), *map(str, Method), *LINEAR_WORDS, SO_FAR, "target", "learningRate"}  # Torch's
WORD = re.compile(r"[^\W\d_₀-₉]{3,}")


class Marked(NullTranslations):
    """A language in which what was translated stands in brackets, and what was put into it does not."""

    def gettext(self, message: str) -> str:
        parts = Formatter().parse(message)
        return "".join(_marked(text) + _field(name, form) for text, name, form, _ in parts)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def _marked(text: str) -> str:
    return f"⟦{text.replace('{', '{{').replace('}', '}}')}⟧" if text else ""


def _field(name: str | None, form: str | None) -> str:
    return "" if name is None else f"{{{name}:{form}}}" if form else f"{{{name}}}"


@pytest.fixture
def marking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(translation, "catalogue", lambda language: Marked())
    with written_in(Language.FRENCH):
        yield


def left(text: str, network: Network) -> set[str]:
    """The words outside the marks that are no names."""
    names = NAMES | set(WORD.findall(" ".join((network.name, *network.graph.kinds.values()))))
    for quantity in network.graph.quantities:
        names |= set(WORD.findall(quantity.name))
    return set(WORD.findall(re.sub(r"⟦[^⟧]*⟧", " ", text))) - names


def words_of(page: str) -> str:
    """What an HTML page says besides its formulas."""
    body = re.sub(r"<(style|math)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]*>", " ", body))


def documents(network: Network) -> Iterator[object]:
    derivation = network.derive()
    for in_matrices in (False, True):
        yield Question(in_matrices=in_matrices).document(derivation)
    if all(values is not None for values in network.values.values()):
        for view in WalkView:
            if not network.graph.windows or view in (WalkView.INDEX, WalkView.MATRIX):
                yield Walk(network, Request(full=view is WalkView.INDEX, view=view)).document
        entry = network.graph.with_role(Role.PARAMETER, Role.INPUT)[0]
        first = f"[{','.join('1' for _ in entry.shape)}]" if entry.shape else ""
        if entry.name in network.derive().told.adjoints.formulas:
            yield PerturbedWalk(network, Request(), f"{entry.name}{first}=0.01").document
        yield run_document(network.graph, network.names, network.compile().run())
        yield verification_document(network.name, network.names, network.verify())


def check(name: str) -> None:
    network = load_text(bundled_spec(name).text, name, name)
    for document in documents(network):
        assert left(words_of(html.page(document)), network) == set()


@pytest.mark.parametrize("name", SMALL)
def test_no_word_of_a_page_is_left_in_English(name: str, marking: None) -> None:
    check(name)


@pytest.mark.every_spec
@pytest.mark.parametrize("name", [name for name in bundled_names() if name not in SMALL])
def test_no_word_of_any_page_is_left_in_English(name: str, marking: None) -> None:
    check(name)


def test_the_check_finds_words(marking: None) -> None:
    network = load_text(bundled_spec("xor").text, "xor", "xor")
    assert left("⟦Layer ⟧1⟦: ⟧tanh left ⟦over⟧", network) == {"left"}
    assert left(words_of("<p class='note'>⟦a⟧ <math>rest</math> word</p>"), network) == {"word"}


def test_pages_name_their_language() -> None:
    network = load_text(bundled_spec("xor").text, "xor", "xor")
    for language in Language:
        with written_in(language):
            page = html.page(Question().document(network.derive()))
        assert f'<html lang="{language}">' in page


@pytest.mark.parametrize("language", [Language.FRENCH, Language.CHINESE])
@pytest.mark.parametrize("width", [30, 60, 80])
def test_lines_in_a_terminal_keep_to_the_page(language: Language, width: int) -> None:
    network = load_text(bundled_spec("rnn-truncated").text, "rnn", "rnn")
    with written_in(language):
        document = Walk(network, Request())
        prose = [block for block in document.document.blocks if type(block).__name__ in ("Prose", "Note", "Heading")]
        page = terminal.render(document.document._replace(blocks=tuple(prose)), width)
    assert all(terminal.cell_len(line) <= width for line in page.splitlines())
    assert not any(line.lstrip().startswith(tuple("，。；：、）」")) for line in page.splitlines())


def test_a_markdown_page_is_in_the_language() -> None:
    network = load_text(bundled_spec("xor").text, "xor", "xor")
    with written_in(Language.FRENCH):
        page = markdown.page(Question().document(network.derive()))
    assert page.startswith("# Rétropropagation\N{NO-BREAK SPACE}: exclusive or\n")
