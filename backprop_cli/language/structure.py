"""What can stand next to what in a formula: brackets that match, operators between operands, one equals sign.

These checks come before any parsing, so their messages are about what the author wrote, and nothing that reaches the
parser is deep enough to trouble it.
"""

from __future__ import annotations

from collections.abc import Sequence

from backprop_cli.language.tokens import FormulaError, Token
from backprop_cli.translation import Sentences, marked, tr

DEEPEST_BRACKETS = 50
MOST_SIGNS = 5

FLATTEN = "flatten"
CONNECTIVES = Sentences(
    {
        "and": marked("'and' is no operator; multiply two comparisons: (0 < w)*(w < 3)"),
        "or": marked("'or' is no operator; take the larger of two comparisons: max(w < 0, 3 < w)"),
        "not": marked("'not' is no operator; write the opposite comparison: w >= 3 for not w < 3"),
    }
)
_CLOSING = {"(": ")", "[": "]"}
_SIGNS = frozenset("+-")


def split_equation(text: str, found: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """The tokens left and right of the one equals sign. Raises FormulaError where there is none or a second."""
    at = [number for number, token in enumerate(found) if token.text == "="]
    if not found:
        raise FormulaError(tr("an empty equation; write it like z = w*x + b"), 0)
    if not at:
        doubled = next((token for token in found if token.text == "=="), None)
        if doubled is not None:
            raise FormulaError(
                tr("an equation is written with one equals sign; '==' compares two values"), doubled.offset
            )
        raise FormulaError(tr("an equation needs an equals sign, like z = w*x + b"), found[0].offset)
    first = at[0]
    if first == 0:
        raise FormulaError(tr("the left side of the equation is missing"), found[0].offset)
    if first == len(found) - 1:
        raise FormulaError(tr("the right side of the equation is missing"), len(text.rstrip()))
    return list(found[:first]), list(found[first + 1 :])


def check_structure(found: Sequence[Token]) -> None:
    """Raises FormulaError at the first token that cannot follow the ones before it."""
    if not found:
        raise FormulaError(tr("an empty formula"), 0)
    open_brackets: list[Token] = []
    before: Token | None = None
    signs = 0
    for number, token in enumerate(found):
        if token.text == "=":
            raise FormulaError(tr("an equals sign in the middle of a formula; '==' compares two values"), token.offset)
        if token.text == "[" and _ends_flattened(found[:number]):
            signs = 0
        elif before is not None and _ends_operand(before):
            _check_after_operand(before, token, open_brackets)
            signs = 0
        else:
            _check_operand(before, token)
            signs = signs + 1 if token.text in _SIGNS else 0
            if signs > MOST_SIGNS:
                raise FormulaError(tr("too many signs in a row"), token.offset)
        if token.text in _CLOSING:
            open_brackets.append(token)
            if len(open_brackets) > DEEPEST_BRACKETS:
                message = tr("brackets more than {most} deep").format(most=DEEPEST_BRACKETS)
                raise FormulaError(message, token.offset)
        elif token.text in _CLOSING.values():
            open_brackets.pop()
        before = token
    if open_brackets:
        opened = open_brackets[-1]
        raise FormulaError(tr("'{bracket}' is never closed").format(bracket=opened.text), opened.offset)
    if before is not None and not _ends_operand(before):
        raise FormulaError(tr("something is missing after '{symbol}'").format(symbol=before.text), before.offset)


def _ends_flattened(found: Sequence[Token]) -> bool:
    """Whether the tokens end in ``flatten(x)``, which has positions like a name."""
    return [token.text for token in found[-4:-2]] == [FLATTEN, "("] and found[-1].text == ")"


def _ends_operand(token: Token) -> bool:
    return token.kind != "operator" or token.text in _CLOSING.values()


def _check_after_operand(before: Token, token: Token, open_brackets: Sequence[Token]) -> None:
    innermost = open_brackets[-1].text if open_brackets else ""
    if token.kind != "operator" or (token.text == "(" and before.kind != "name"):
        glued = (
            f"{before.text} {token.text}" if token.kind == before.kind != "operator" else f"{before.text}{token.text}"
        )
        connective = next((part for part in (token, before) if part.text in CONNECTIVES), None)
        if connective is not None:
            raise FormulaError(CONNECTIVES[connective.text], connective.offset)
        message = tr("an operator is missing in '{text}'; write '{product}' for a product")
        raise FormulaError(message.format(text=glued, product=f"{before.text}*{token.text}"), token.offset)
    if token.text == "[" and before.kind != "name":
        if before.text == "]":
            message = tr("'[' cannot stand here; write both positions in one bracket, W[i,j]")
            raise FormulaError(message, token.offset)
        raise FormulaError(_no_name(), token.offset)
    if token.text in _CLOSING.values() and _CLOSING.get(innermost) != token.text:
        message = tr("'{opening}' is closed by '{closing}'") if innermost else tr("'{closing}' was never opened")
        raise FormulaError(message.format(opening=innermost, closing=token.text), token.offset)
    if token.text == "," and not innermost:
        raise FormulaError(tr("a comma outside brackets; decimals are written with a point"), token.offset)


def _check_operand(before: Token | None, token: Token) -> None:
    if token.kind != "operator" or token.text == "(" or token.text in _SIGNS:
        return
    if before is None:
        if token.text == "[":
            raise FormulaError(tr("a list cannot stand in a formula; name it under inputs or parameters"), token.offset)
        raise FormulaError(tr("a formula cannot begin with '{symbol}'").format(symbol=token.text), token.offset)
    if before.text in _CLOSING and token.text in _CLOSING.values():
        raise FormulaError(tr("these brackets are empty"), before.offset)
    if token.text == "[":
        raise FormulaError(_no_name(), token.offset)
    if before.text == "*" and token.text == "*":
        raise FormulaError(tr("write ** without a blank for a power"), before.offset)
    message = tr("something is missing between '{first}' and '{second}'")
    raise FormulaError(message.format(first=before.text, second=token.text), token.offset)


def _no_name() -> str:
    return tr("'[' cannot stand here; only a name has positions")
