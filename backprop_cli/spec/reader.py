"""How a field of a pydantic model is read by a function of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class Reader:
    """For ``Annotated[T, Reader(read, form)]``: ``read`` makes a T of what is written, or raises Rejected.

    ``form`` gives the type that the JSON Schema tells editors; it is asked only then, because building the schema of
    every form takes longer than reading a spec.
    """

    read: Callable[[Any], Any]
    form: Callable[[], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(TypeAdapter(self.form()).core_schema)
