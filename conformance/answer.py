"""Make HTTP requests and check their answers. An `Answer` keeps its request, to name it in a failure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from minibus.bus.session import request

from conformance.contract import Broken

LONGEST_WAIT = 15.0  # seconds for an answer
LONGEST_SHOWN = 260  # characters of an answer


class NoAnswer(Broken):
    """A request without an answer: no listener, a broken connection, or a time-out."""


@dataclass(frozen=True)
class Answer:
    """An answer, and the request that it belongs to."""

    asked: str
    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def has_status(self, *wanted: int) -> Answer:
        """Return this answer if it has one of these statuses. Raises `Broken`."""
        if self.status not in wanted:
            raise self.broken("status " + " or ".join(map(str, wanted)))
        return self

    def is_well(self) -> Answer:
        """Return this answer if it is not an error. Raises `Broken`."""
        if self.status >= 400:
            raise self.broken("a status below 400")
        return self

    def json(self) -> Any:
        """Return the answer's JSON. Raises `Broken`."""
        try:
            return json.loads(self.text)
        except ValueError:
            raise self.broken("JSON") from None

    def object(self, *names: str) -> dict[str, Any]:
        """Return the answer's JSON object, which has these names. Raises `Broken`."""
        found = self.json()
        if not isinstance(found, dict) or not set(names) <= set(found):
            raise self.broken("a JSON object" + (f" with {' and '.join(names)}" if names else ""))
        return found

    def array(self) -> list[Any]:
        """Return the answer's JSON array. Raises `Broken`."""
        found = self.json()
        if not isinstance(found, list):
            raise self.broken("a JSON array")
        return found

    def broken(self, expected: str) -> Broken:
        """Return the failure of a rule that expected another answer."""
        note = "Your code raised an error. The terminal of your service shows where." if self.status >= 500 else ""
        return Broken(expected, f"status {self.status}, {shown(self.text)}", self.asked, note)


def shown(text: str) -> str:
    """Shorten a body to a few lines; of an HTML page, return its text."""
    if re.match(r"\s*<(!doctype|html)", text, re.IGNORECASE):
        page = re.sub(r"<(style|script|title).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
        return f"an HTML page: {cut(' '.join(html.unescape(page).split()), 120)}"
    return cut(" ".join(text.split()), LONGEST_SHOWN) or "with an empty body"


def cut(text: str, longest: int = LONGEST_SHOWN) -> str:
    """Cut a text after `longest` characters."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def as_json(value: Any) -> str:
    """Return a value as JSON, without escapes for non-ASCII text."""
    return json.dumps(value, ensure_ascii=False)


def ask(method: str, url: str, body: Any = None, *, raw: str | None = None, **headers: str) -> Answer:
    """Make a request; `raw` is sent as if it were JSON. Raises `NoAnswer`."""
    path = "/" + url.partition("://")[2].partition("/")[2]
    data = raw if raw is not None else None if body is None else as_json(body)
    asked = f"{method} {path}" + (f" {cut(data, 160)}" if data is not None else "")
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        headers["Content-Type"] = "application/json"
    try:
        content = None if data is None else data.encode()
        answer = request(method, url, data=content, headers=headers, timeout=LONGEST_WAIT, allow_redirects=False)
    except requests.Timeout:
        raise NoAnswer("an answer", f"none within {LONGEST_WAIT:.0f} s", asked) from None
    except requests.RequestException as error:
        refused = "refused" in str(error)
        found = "no program listens at this address" if refused else "the connection broke off without one"
        raise NoAnswer(
            "an answer", found, asked, "Your service has probably ended. Its terminal shows the error."
        ) from None
    answer.encoding = "utf-8"
    return Answer(asked, answer.status_code, answer.text, answer.headers)
