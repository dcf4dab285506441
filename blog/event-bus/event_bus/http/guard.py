"""Who may change something here, and where the bus may deliver to. Safe without a setting: loopback only."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from flask import Flask, request
from minibus.http.errors import ApiError
from minibus.http.guard import require_token
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

CHANGES_NOTHING = {"GET", "HEAD", "OPTIONS"}
OPEN = {"/healthz", "/", "/session"}  # probes have no token; the console's page shows nothing by itself, and asks
LOOPBACK = ("localhost", "127.0.0.0/8", "::1")


class Hosts:
    """Hosts by name (`posts`), suffix (`.svc.cluster.local`) or network (`10.0.0.0/8`); loopback always belongs."""

    def __init__(self, entries: Iterable[str]) -> None:
        self.names: set[str] = set()
        self.suffixes: tuple[str, ...] = ()
        self.networks = []
        for entry in (*LOOPBACK, *entries):
            try:
                self.networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                if entry.startswith("."):
                    self.suffixes += (entry.lower(),)
                else:
                    self.names.add(entry.lower())

    def __contains__(self, host: object) -> bool:
        name = str(host).lower()
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name in self.names or name.endswith(self.suffixes)
        return any(address in network for network in self.networks)


class Guard:
    """The rules of one bus, from its settings `ALLOWED_HOSTS` and `SUBSCRIBER_HOSTS`."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self.own = Hosts(split(settings.get("ALLOWED_HOSTS", "")))
        self.subscribers = Hosts(split(settings.get("SUBSCRIBER_HOSTS", "")))

    def install(self, app: Flask) -> None:
        """Check every request before it is answered."""
        app.before_request(self.check)

    def check(self) -> None:
        """Let nobody in without the token, and no page of somebody else's change anything. Raises 401, 403."""
        if request.path not in OPEN and request.endpoint != "static":
            require_token()
        if request.method in CHANGES_NOTHING:
            return
        # A page can be made to send here, by a name that leads to us (DNS rebinding), or across origins.
        if host_of(read_address(f"//{request.host}")) not in self.own:
            raise ApiError(403, f"This bus is not known as {request.host}; ALLOWED_HOSTS can name it.")
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            raise ApiError(403, f"A page of {origin} may change nothing here.")

    def check_address(self, url: str) -> None:
        """Refuse an address that is none, or of a host that the bus was not told of. Raises `ApiError` 422."""
        address = read_address(url)
        host = host_of(address)
        more = (address.auth, address.query, address.fragment)
        if address.scheme not in ("http", "https") or not host or more != (None, None, None):
            raise ApiError(422, f"url is an address such as http://127.0.0.1:4002, not {url!r}.", "url")
        if host not in self.subscribers:
            why = "which this bus was not told of; SUBSCRIBER_HOSTS can name it"
            raise ApiError(422, f"url leads to {host}, {why}.", "url")


def read_address(url: str) -> Url:
    """Read an address with the parser of requests: read in two ways, it would be checked as one host and be another."""
    try:
        return parse_url(url)
    except LocationParseError:
        return Url()


def host_of(address: Url) -> str:
    """Return the host without the brackets of IPv6, empty where there is none."""
    return (address.host or "").strip("[]")


def split(setting: str) -> list[str]:
    """Split a setting at its commas."""
    return [entry.strip() for entry in setting.split(",") if entry.strip()]
