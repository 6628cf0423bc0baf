"""What every layer may say about itself, and what the assembly asks of a layer of the library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from backprop_cli.spec.fields import Name, SomeNames
from backprop_cli.spec.section import Section
from backprop_cli.spec.values import Values
from backprop_cli.translation import marked


class Options(Section):
    """What every layer may say about itself."""

    example = "{name: hidden}"
    expected = marked("expected options such as {example}, not {found}")
    stands_alone: ClassVar[bool] = True  # the layer may be written without options

    name: Name | None = Field(
        default=None, description="A name instead of the place: `name: hidden` makes W_hidden, z_hidden, a_hidden."
    )
    sources: SomeNames | None = Field(
        default=None, alias="from", description="The quantities it takes as input, instead of the layer before."
    )


class Library(Options):
    """A layer of the library."""

    kind: ClassVar[str]

    @property
    def activates(self) -> str | None:
        """The activation that is applied to its weighted sums, None where it has none."""
        return None

    def given(self) -> Mapping[str, tuple[Values | None, tuple[str, ...]]]:
        """The values of parameters by letter, None where they are drawn, and where in the options they stand."""
        return {}

    def settings(self) -> Mapping[str, Any]:
        """What the library's entry needs to write the layer's equations."""
        return {}

    @property
    def applies(self) -> str | None:
        """The activation that stands in its own equations, None where it has none to choose."""
        return None

    def initial(self) -> Mapping[str, Values]:
        """The values of states before the first step, by letter, where they are given."""
        return {}

    def windows(self) -> Mapping[str, int]:
        """Through how many states the cost of a step is propagated back, by the state's letter; absent: through all."""
        return {}

    @property
    def shared(self) -> tuple[str, ...]:
        """The parameters of other layers that it uses."""
        return ()
