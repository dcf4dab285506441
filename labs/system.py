"""The whole mini-blog for a lab or a test: real processes on spare ports, in a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import requests
from minibus.bus.session import request

ROOT = Path(__file__).parent.parent
APPS = {
    "posts": "posts:app",
    "comments": "comments:app",
    "query": "query:app",
    "moderation": "moderation:app",
    "event-bus": "event_bus.wsgi:app",
    "client": "client:app",
}
SERVICES = ("posts", "comments", "query", "moderation")

T = TypeVar("T")


def eventually(condition: Callable[[], T], seconds: float = 20) -> T:
    """Wait until the condition holds, and return what it says. Raises AssertionError when the time is up.

    A request that fails counts as no, and so does what is not there yet.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := condition():
                return found
            last: Any = found
        except (requests.RequestException, LookupError) as error:
            last = error
        assert time.monotonic() < deadline, f"not within {seconds} s; the last answer was {last!r}"
        time.sleep(0.02)


FIRST_PORT, LAST_PORT = 20_000, 32_000  # below those that the system hands out by itself
BLOCK = 400


def spare_ports() -> Iterator[int]:
    """Yield ports, in blocks; whoever listens at the first one of a block is the only one to use the others."""
    with ExitStack() as guards:
        for first in range(FIRST_PORT, LAST_PORT, BLOCK):
            guard = guards.enter_context(socket.socket())
            with suppress(OSError):
                guard.bind(("127.0.0.1", first))
                guard.listen()
                yield from range(first + 1, first + BLOCK)


PORTS = spare_ports()


def free_port() -> int:
    """Return a port that nobody uses, and that nobody else will be given."""
    while True:
        port = next(PORTS)
        if not is_taken(port):
            return port


def is_taken(port: int) -> bool:
    """Say whether something answers at this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Blog:
    """Six processes that can be stopped, killed and started one by one; `settings` are environment variables.

    `commands` starts something else in the place of a part, `bus_seen_by` says where a part finds the bus, and
    `reached_at` where the bus finds a part.
    """

    def __init__(self, folder: Path, bus_seen_by: dict[str, str] | None = None, **settings: str) -> None:
        self.folder = folder
        self.commands: dict[str, list[str]] = {}
        self.ports = {name: free_port() for name in APPS}
        self.settings = settings
        self.bus_seen_by = bus_seen_by or {}
        self.reached_at: dict[str, str] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def add(self, name: str, *command: str) -> None:
        """Let this command start a part, perhaps one that is not of the blog."""
        self.ports.setdefault(name, free_port())
        self.commands[name] = list(command)

    def url(self, name: str) -> str:
        """Return where this part lives."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def log(self, name: str) -> str:
        """Return what this part has printed."""
        return (self.folder / f"{name}.log").read_text()

    def start(self, *names: str) -> Self:
        """Start these parts, or all, and wait until each answers that it is alive."""
        for name in names or APPS:
            self.spawn(name)
        eventually(lambda: all(self.answers(name, "/healthz") for name in names or APPS))
        return self

    def answers(self, name: str, path: str) -> bool:
        """Say whether this path of a part answers well; what is not ours has no probes, and any answer will do."""
        return request("GET", self.url(name) + path, timeout=2).ok or name in self.commands

    def command(self, name: str) -> list[str]:
        """Return what starts this part."""
        ours = [sys.executable, "-m", "gunicorn", "-c", "blog/common/gunicorn.conf.py"]
        return self.commands.get(name) or [*ours, APPS[name]]

    def spawn(self, name: str) -> subprocess.Popen[bytes]:
        """Start a part and do not wait."""
        environment = {
            **os.environ,
            "DATA_DIR": str(self.folder / "data"),
            "EVENT_BUS_URL": self.bus_seen_by.get(name, self.url("event-bus")),
            "QUERY_URL": self.url("query"),
            "SUBSCRIBERS": "",  # nobody but whom we start
            "no_proxy": "127.0.0.1",  # services of the course's kind follow the machine's proxies
            **self.settings,
            "PORT": str(self.ports[name]),
            "SERVICE_URL": self.reached_at.get(name, self.url(name)),
        }
        self.processes[name] = self.launch(self.command(name), self.folder / f"{name}.log", environment)
        return self.processes[name]

    def launch(self, command: list[str], log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a process that writes to this log."""
        with log.open("ab") as output:
            return subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def ready(self) -> Self:
        """Wait until every service has caught up."""
        eventually(lambda: all(self.answers(name, "/readyz") for name in SERVICES))
        return self

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a part as a person does; SIGKILL ends its worker, too. It may have ended already."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number) if number == signal.SIGKILL else process.send_signal(number)
        process.wait(10)

    def kill(self, name: str) -> None:
        """End a part at once, in the middle of whatever it does."""
        self.stop(name, signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """Stop a part where it is: it keeps its port and its memory, and does nothing."""
        os.killpg(self.processes[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen part go on."""
        os.killpg(self.processes[name].pid, signal.SIGCONT)

    def close(self) -> None:
        """End everything that runs."""
        for name in list(self.processes):
            self.kill(name)

    # -- what a reader and writer of the blog does ----------------------------------------------------------------

    def get(self, name: str, path: str) -> Any:
        """Return the JSON at this path of a part. Raises `HTTPError` where the answer is no."""
        response = request("GET", self.url(name) + path, timeout=30)
        if not response.ok:
            raise requests.HTTPError(response.text)
        return response.json()

    def send(self, name: str, path: str, body: Any, method: str = "POST") -> requests.Response:
        """Send JSON to a part."""
        return request(method, self.url(name) + path, json=body, timeout=15)

    def write_post(self, title: str) -> str:
        """Write a post; return its id."""
        response = self.send("posts", "/posts/create", {"title": title})
        assert response.status_code == 201, response.text
        return response.json()["id"]

    def write_comment(self, post_id: str, content: str) -> str:
        """Write a comment; return its id."""
        response = self.send("comments", f"/posts/{post_id}/comments", {"content": content})
        assert response.status_code == 201, response.text
        return response.json()[-1]["id"]

    def events(self) -> list[dict[str, Any]]:
        """Return the whole log."""
        return self.get("event-bus", "/events")

    def page(self) -> dict[str, dict[str, str]]:
        """Return what query shows: title → comment → status, in order."""
        posts = self.get("query", "/posts").values()
        return {post["title"]: {c["content"]: c["status"] for c in post["comments"]} for post in posts}
