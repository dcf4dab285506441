"""The fields of a request, checked: its JSON object, texts and whole numbers. A wrong one raises `ApiError` 422."""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.datastructures import Headers, MultiDict

from minibus.http.errors import ApiError

Parameters = MultiDict[str, str] | Headers | dict[str, str]


def json_object() -> dict[str, Any]:
    """Return the request's body, a JSON object. Raises 400, 413, 415, or 422 for another kind of JSON."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise ApiError(422, "The body must be a JSON object.")
    return body


def text(field: str, longest: int) -> str:
    """Return this text of the request's JSON object, trimmed, 1 to `longest` characters. Raises 422."""
    value = json_object().get(field)
    if value is None:
        raise ApiError(422, f"{field} is missing.", field)
    if not isinstance(value, str):
        raise ApiError(422, f"{field} must be text.", field)
    value = value.strip()
    if not value:
        raise ApiError(422, f"{field} must not be blank.", field)
    if len(value) > longest:
        raise ApiError(422, f"{field} has {len(value):,} characters; {longest:,} are allowed.", field)
    return value


def whole_number(field: str, given: Parameters) -> int | None:
    """Return this parameter as a whole number of at least 0, None if the request does not give it. Raises 422."""
    return _whole_number(field, given[field]) if field in given else None


def whole_numbers(field: str, given: Parameters) -> frozenset[int]:
    """Return this parameter, such as `7,9`, as whole numbers. Raises 422."""
    numbers = [number.strip() for number in given.get(field, "").split(",")]
    return frozenset(_whole_number(field, number) for number in numbers if number)


def _whole_number(field: str, number: str) -> int:
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise ApiError(422, f"{field} must be a whole number of at least 0, not {number!r}.", field)
    return int(number)
