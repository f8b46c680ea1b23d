"""The JSON schema of the YAML as it is written, with variables not filled in yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic.json_schema import GenerateJsonSchema

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

__all__ = ["DURATION", "VARIABLE", "SchemaWithVariables", "or_variable"]

VARIABLE = r"\$\{"
"""What text with a variable in it matches."""

DURATION = rf"^([0-9]+(ms|[smhdw]))+$|{VARIABLE}"
"""What text such as 1h30m matches, or a variable for it."""


class SchemaWithVariables(GenerateJsonSchema):
    """Lets ``${NAME}`` stand for any number, boolean and fixed word, but not for a key."""

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Return the schema of a whole number."""
        return or_variable(super().int_schema(schema))

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        """Return the schema of a number."""
        return or_variable(super().float_schema(schema))

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        """Return the schema of true or false."""
        return or_variable(super().bool_schema(schema))

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """Return the schema of fixed words."""
        return or_variable(super().literal_schema(schema))


def or_variable(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Return a schema that a variable fits, too."""
    return {"anyOf": [schema, {"type": "string", "pattern": VARIABLE}]}
