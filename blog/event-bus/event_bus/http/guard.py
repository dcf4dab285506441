"""Check who may change something here, and which hosts the bus may deliver to. Without settings: loopback only."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from flask import Flask, request
from minibus.http.errors import ApiError
from minibus.http.guard import require_token
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

READS = {"GET", "HEAD", "OPTIONS"}
# Probes have no token. The console's page holds no data: it asks for the token and sends it to /session.
OPEN = {"/healthz", "/", "/session"}
LOOPBACK = ("localhost", "127.0.0.0/8", "::1")


class Hosts:
    """Hosts by name (`posts`), suffix (`.svc.cluster.local`) or network (`10.0.0.0/8`). Loopback is always included."""

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
        """Require the token. Reject cross-origin writes. Raises `ApiError` 401, 403."""
        if request.path not in OPEN and request.endpoint not in ("static", "theme"):
            require_token()
        if request.method in READS:
            return
        # A page of another site can send requests here: across origins, or under a name of its own (DNS rebinding).
        if host_of(parse(f"//{request.host}")) not in self.own:
            raise ApiError(403, f"{request.host} is not a name of this bus; add it to ALLOWED_HOSTS.")
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            raise ApiError(403, f"A page of {origin} may not change anything here.")

    def check_url(self, url: str) -> None:
        """Check that the bus may deliver to this URL. Raises `ApiError` 422 if it is malformed, or its host unknown."""
        address = parse(url)
        host = host_of(address)
        more = (address.auth, address.query, address.fragment)
        if address.scheme not in ("http", "https") or not host or more != (None, None, None):
            raise ApiError(422, f"url must be a URL such as http://127.0.0.1:4002, not {url!r}.", "url")
        if host not in self.subscribers:
            raise ApiError(422, f"url has the unknown host {host}; add it to SUBSCRIBER_HOSTS.", "url")


def parse(url: str) -> Url:
    """Use the parser of `requests`: two parsers may disagree on the host, and the check would be bypassed."""
    try:
        return parse_url(url)
    except LocationParseError:
        return Url()


def host_of(address: Url) -> str:
    """Return the host without the brackets of IPv6, empty if there is no host."""
    return (address.host or "").strip("[]")


def split(setting: str) -> list[str]:
    """Return the entries of a setting, which commas separate."""
    return [entry.strip() for entry in setting.split(",") if entry.strip()]
