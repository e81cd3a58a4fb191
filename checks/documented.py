"""The operations of an OpenAPI document, and inputs that it allows or forbids."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import jsonschema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
_METHODS = {"get", "put", "post", "delete", "patch"}
_DIALECT = jsonschema.Draft202012Validator

# The same examples in every run, and never more than these: a failure is not searched for a smaller one.
_BOUNDED = settings(
    max_examples=int(os.environ.get("KIRO_EXAMPLES", "10")),
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document."""

    document: Json
    method: str
    path: str
    described: Json

    @property
    def needs_login(self) -> bool:
        """Whether it is only for those who are logged in."""
        return bool(self.described.get("security"))

    @property
    def takes_input(self) -> bool:
        """Whether there is anything that could be invalid."""
        return self.body is not None or bool(self.parameters)

    @property
    def body(self) -> Json | None:
        """The schema of its JSON body."""
        content = self.described.get("requestBody", {}).get("content", {})
        return cast("Json | None", content.get("application/json", {}).get("schema"))

    @property
    def parameters(self) -> list[Json]:
        """Its parameters in the path and the query."""
        return [each for each in self.described.get("parameters", []) if each["in"] in {"path", "query"}]

    def complaints(self, status: int, text: str) -> list[str]:
        """Return how an answer differs from what is documented."""
        answer = self.described["responses"].get(str(status))
        if answer is None:
            return [f"the document knows no answer {status}"]
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return [] if not text else ["the document knows no body"]
        return [error.message for error in self.validator(schema).iter_errors(json.loads(text))]

    def validator(self, schema: Json) -> _DIALECT:
        """Return what judges values by a schema of the document."""
        whole = {"allOf": [schema], "components": self.document["components"]}
        return _DIALECT(whole, format_checker=_DIALECT.FORMAT_CHECKER)

    def for_examples(self, holds: Callable[[st.DataObject], None]) -> None:
        """Call a function that draws its inputs, once for each example."""
        _BOUNDED(given(data=st.data())(holds))()

    def draw_place(self, data: st.DataObject) -> int:
        """Choose what of the input is to be wrong: a parameter by its place, or the body, which is -1."""
        places = [*range(len(self.parameters)), *([-1] if self.body else [])]
        return int(data.draw(st.sampled_from(places)))

    def good(self, schema: Json) -> st.SearchStrategy[Any]:
        """Return values that a schema allows; of the keywords, those that a document of FastAPI's has."""
        match schema:
            case {"$ref": str(name)}:
                made = self.good(self.document["components"]["schemas"][name.rpartition("/")[2]])
            case {"anyOf": choices}:
                made = st.one_of([self.good(each) for each in choices])
            case {"enum": values}:
                made = st.sampled_from(values)
            case {"type": "object"}:
                made = self._good_object(schema)
            case {"type": "array"}:
                made = st.lists(self.good(schema["items"]), max_size=min(schema.get("maxItems", 3), 3))
            case {"type": "integer"}:
                made = st.integers(schema.get("minimum"), schema.get("maximum"))
            case {"type": "string"}:
                made = _good_text(schema)
            case _:
                made = st.none()
        return made

    def bad(self, schema: Json) -> st.SearchStrategy[Any]:
        """Return values that a schema forbids: of another kind, or an object with one thing wrong."""
        schema = self._resolved(schema)
        anything = _JUNK
        if schema.get("type") == "object":
            anything = st.one_of(_JUNK, self._spoilt(schema))
        judge = self.validator(schema)
        return anything.filter(lambda value: not judge.is_valid(value))

    def bad_text(self, schema: Json) -> st.SearchStrategy[str]:
        """Return texts that a schema forbids in the place of a parameter, whatever they are read as."""
        judge = self.validator(schema)
        texts = ["-1", "9999999", "many", "1.5", "\t", "x" * 200, "00000000-0000-0000-0000"]
        wrong = [text for text in texts if not judge.is_valid(text) and not judge.is_valid(_number_or_text(text))]
        return st.sampled_from(wrong)

    def _good_object(self, schema: Json) -> st.SearchStrategy[Any]:
        properties = schema.get("properties", {})
        if not properties:
            keys = self.good(schema.get("propertyNames", {"type": "string"}))
            return st.dictionaries(keys, self.good(schema.get("additionalProperties", {})), max_size=3)
        required = set(schema.get("required", []))
        return st.fixed_dictionaries(
            {name: self.good(each) for name, each in properties.items() if name in required},
            optional={name: self.good(each) for name, each in properties.items() if name not in required},
        )

    def _spoilt(self, schema: Json) -> st.SearchStrategy[Any]:
        """Return objects of this schema in which one property is missing, too many, or of another kind."""
        names = sorted(schema.get("properties", {}))
        whole = self._good_object(schema)
        missing = st.builds(lambda body, name: {key: body[key] for key in body if key != name}, whole, _one_of(names))
        further = st.builds(lambda body, junk: {**body, "unheard_of": junk}, whole, _JUNK)
        changed = st.builds(lambda body, name, junk: {**body, name: junk}, whole, _one_of(names), _JUNK)
        return st.one_of(missing, further, changed)

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema


def operations(document: Json) -> dict[str, Operation]:
    """Return the operations of a document, by their ids."""
    return {
        described["operationId"]: Operation(document, method.upper(), path, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if method in _METHODS
    }


_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
_JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), _TEXT, st.just([])
)


def _one_of(names: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(names)


def _good_text(schema: Json) -> st.SearchStrategy[Any]:
    if schema.get("format") == "uuid":
        return st.uuids().map(str)
    least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
    if "pattern" not in schema:
        return st.text(st.characters(codec="utf-8"), min_size=least, max_size=most)
    # in JSON Schema, `$` is the end of the text; in Python, a line break may follow it
    pattern = schema["pattern"].removesuffix("$") + r"\Z"
    return st.from_regex(pattern).filter(lambda text: least <= len(text) <= most and _is_utf8(text))


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _number_or_text(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdecimal() else text
