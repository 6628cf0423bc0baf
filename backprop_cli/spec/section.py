"""The base of every mapping in a spec: it reports unknown keys, and all findings at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, model_validator

from backprop_cli.spec.findings import Finding, Rejected, findings_of, reject, unknown_keys
from backprop_cli.spec.wording import describe
from backprop_cli.translation import marked, tr


class Section(BaseModel):
    """A mapping of a spec with a fixed set of keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)
    example: ClassVar[str] = ""  # what to write instead of something else
    expected: ClassVar[str] = marked("expected a mapping, not {found}")  # may name the example

    @classmethod
    def crosscheck(cls, data: Mapping[str, Any]) -> Iterable[Finding]:
        """Findings about several keys together. The values are as written, not checked yet."""
        return ()

    def conflicts(self) -> Iterable[Finding]:
        """Findings about several values that are valid each."""
        return ()

    @model_validator(mode="wrap")
    @classmethod
    def _all_findings(cls, data: Any, handler: ValidatorFunctionWrapHandler) -> Self:
        if isinstance(data, cls):
            return data
        if not isinstance(data, dict):
            reject(tr(cls.expected).format(example=cls.example, found=describe(data)))
        keys = cls.keys()
        known = {key: value for key, value in data.items() if key in keys}
        findings = [*unknown_keys(data, keys), *cls.crosscheck(_as_meant(data, keys))]
        try:
            section: Self = handler(known)
        except ValidationError as error:
            raise Rejected([*findings, *findings_of(error)]) from None
        if findings := [*findings, *section.conflicts()]:
            raise Rejected(findings)
        return section

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """The keys that the mapping may have, as users write them."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


def _as_meant(data: Mapping[Any, Any], keys: Collection[str]) -> dict[str, Any]:
    """The mapping with misspelt keys put right, so that nothing is called missing that is there."""
    meant = {key: value for key, value in data.items() if key in keys}
    for key, value in data.items():
        for near in get_close_matches(str(key), keys, n=1):
            meant.setdefault(near, value)
    return meant
