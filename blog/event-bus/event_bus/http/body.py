"""Read the JSON object of a request in one of the shapes that the bus accepts."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from minibus.http.errors import ApiError
from minibus.http.fields import json_object

Position = Annotated[int, msgspec.Meta(ge=0)]
S = TypeVar("S", bound=msgspec.Struct)


def read_body(shape: type[S]) -> S:
    """Return the request's JSON object in this shape. Raises `ApiError` 400, 413, 415, 422."""
    try:
        return msgspec.convert(json_object(), shape)
    except msgspec.ValidationError as error:
        raise ApiError(422, f"{error}.") from None
