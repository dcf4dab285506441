"""Who listens: kept in memory only, because every subscriber says every 2 s where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from minibus.errors import ApiError

from event_bus.delivery import Subscriber
from event_bus.log import Log


class Subscribers:
    """The subscribers by name."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._by_name: dict[str, Subscriber] = {}

    def __iter__(self) -> Iterator[Subscriber]:
        return iter(sorted(self._by_name.values(), key=lambda subscriber: subscriber.name))

    def get(self, name: str) -> Subscriber:
        """Return the subscriber of this name. Raises `ApiError` 404."""
        if name not in self._by_name:
            raise ApiError(404, f"There is no subscriber {name}.")
        return self._by_name[name]

    def register(self, name: str, url: str, log: str | None, after: int) -> None:
        """Take a subscriber in, or note where it stands now."""
        if not re.fullmatch("[a-z0-9][a-z0-9.-]{0,127}", name):
            raise ApiError(422, f"{name!r} is no name: lower-case letters, digits, dots and dashes.", "name")
        if name not in self._by_name:
            self._by_name[name] = Subscriber(name, self._log)
        self._by_name[name].register(url.rstrip("/"), log, after)

    def remove(self, name: str) -> None:
        """Forget a subscriber. Raises `ApiError` 404."""
        self.get(name).leave()
        del self._by_name[name]

    def close(self) -> None:
        """Stop delivering."""
        for subscriber in self:
            subscriber.leave()
