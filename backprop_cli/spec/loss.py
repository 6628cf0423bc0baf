"""The field ``loss``: a loss of the library by name, with options or without, an expression, or a quantity's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field, ValidationError, create_model

from backprop_cli.errors import did_you_mean
from backprop_cli.library.losses import LOSSES
from backprop_cli.spec.fields import Positive
from backprop_cli.spec.findings import Finding, Path, Rejected, findings_of, reject
from backprop_cli.spec.reader import Reader
from backprop_cli.spec.section import Section
from backprop_cli.spec.wording import describe, listed, shortened
from backprop_cli.translation import tr

EXAMPLE = "huber: {delta: 1}"


@dataclass(frozen=True)
class Loss:
    """The cost of one sample: ``text`` is the name of a loss (then :attr:`is_named`, with the ``options`` that are
    given), the name of a quantity, or an expression."""

    text: str
    options: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_named(self) -> bool:
        """Whether the text is the name of a loss of the library."""
        return self.text in LOSSES


def read_loss(data: Any) -> Loss:
    """Any form of a loss. Raises :class:`Rejected`."""
    if isinstance(data, Loss):
        return data
    if isinstance(data, str) and data.strip():
        return Loss(data.strip())
    if not isinstance(data, dict):
        message = tr("expected a loss such as mse, an expression, or {example}, not {found}")
        reject(message.format(example=EXAMPLE, found=describe(data)))
    if len(data) != 1:
        reject(tr("expected one loss with its options, such as {example}").format(example=EXAMPLE))
    [(name, options)] = data.items()
    if name not in LOSSES:
        raise Rejected([unknown_loss(str(name), (name,), at_key=True)])
    try:
        section = _options(name).model_validate({} if options is None else options)
    except ValidationError as error:
        raise Rejected(finding.under((name,)) for finding in findings_of(error)) from None
    return Loss(name, section.model_dump(exclude_none=True))


def unknown_loss(name: str, path: Path, *, at_key: bool = False) -> Finding:
    """The finding for a name that is no loss; where a near one is meant, the rest is examined with that."""
    near = get_close_matches(name, LOSSES, n=1)
    expected = tr("; expected {names}, or an expression").format(names=listed(LOSSES))
    message = tr("unknown loss '{name}'{hint}").format(
        name=shortened(name), hint=did_you_mean(name, LOSSES) or expected
    )
    remedy = None if at_key else next(iter(near), None)
    return Finding(path, message, at_key, remedy=remedy)


def _options(name: str) -> type[Section]:
    fields: Any = {
        option: (Positive | None, Field(default=None, description=f"default: {default}"))
        for option, default in LOSSES[name].options.items()
    }
    return create_model(f"{name}_options", __base__=Section, **fields)


def _form() -> Any:
    """How losses are written, for the JSON Schema."""
    keys: Any = {
        name: (_options(name) | None, Field(default=None, description=f"The loss {name} with its options."))
        for name in LOSSES
        if LOSSES[name].options
    }
    one_key = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1, "maxProperties": 1})
    return Literal[tuple(LOSSES)] | str | create_model("loss_with_options", __config__=one_key, **keys)


LossField: TypeAlias = Annotated[Loss, Reader(read_loss, _form)]
