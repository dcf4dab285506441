"""The whole blog in real processes, on free ports and in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import requests
from minibus.bus.client import BusClient
from minibus.bus.session import request

from harness.ports import free_port
from harness.waiting import PATIENCE, eventually
from infra.parts import PARTS, ROOT, SERVICES

GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "blog/common/gunicorn.conf.py"]


class Blog:
    """The parts as processes that can be stopped, killed, frozen and started one by one.

    `settings` are environment variables of all parts. `commands` replaces what starts a part, `bus_seen_by` the address
    at which a part finds the bus, and `reached_at` the address at which the bus finds a part.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.commands: dict[str, list[str]] = {}
        self.ports = {name: free_port() for name in PARTS}
        self.settings = settings
        self.bus_seen_by: dict[str, str] = {}
        self.reached_at: dict[str, str] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def add(self, name: str, *command: str) -> None:
        """Start a part with this command; the part may be one more than the blog has."""
        self.ports.setdefault(name, free_port())
        self.commands[name] = list(command)

    def url(self, name: str) -> str:
        """Return the address of a part."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def log(self, name: str) -> str:
        """Return everything that a part has printed."""
        return (self.folder / f"{name}.log").read_text()

    def start(self, *names: str) -> Self:
        """Start these parts, or all, and wait until each answers."""
        names = names or tuple(PARTS)
        for name in names:
            self.spawn(name)
        eventually(lambda: all(self.answers(name, "/healthz") for name in names))
        return self

    def answers(self, name: str, path: str) -> bool:
        """Tell whether this path of a part answers without an error; of a part that is not ours any answer counts."""
        return request("GET", self.url(name) + path, timeout=5).ok or name in self.commands

    def command(self, name: str) -> list[str]:
        """Return the command that starts a part."""
        return self.commands.get(name) or [*GUNICORN, PARTS[name].app]

    def spawn(self, name: str) -> subprocess.Popen[bytes]:
        """Start a part, and return without waiting for it."""
        environment = {
            **os.environ,
            "DATA_DIR": str(self.folder / "data"),
            "EVENT_BUS_URL": self.bus_seen_by.get(name, self.url("event-bus")),
            "QUERY_URL": self.url("query"),
            "SUBSCRIBERS": "",  # the default lists ports of other parts than ours
            "no_proxy": "127.0.0.1",  # services of the course's kind follow the machine's proxies
            **self.settings,
            "PORT": str(self.ports[name]),
            "SERVICE_URL": self.reached_at.get(name, self.url(name)),
        }
        self.processes[name] = self.launch(self.command(name), self.folder / f"{name}.log", environment)
        return self.processes[name]

    def launch(self, command: list[str], log: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a process whose output goes to this log."""
        with log.open("ab") as output:
            return subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )

    def ready(self) -> Self:
        """Wait until every service has caught up."""
        eventually(lambda: all(self.answers(name, "/readyz") for name in SERVICES))
        return self

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a part by a signal, and wait for its end; SIGKILL ends its worker, too. It may have ended already."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number) if number == signal.SIGKILL else process.send_signal(number)
        process.wait(PATIENCE)

    def kill(self, name: str) -> None:
        """Kill a part."""
        self.stop(name, signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """Freeze a part: it keeps its port and its memory, and does nothing."""
        os.killpg(self.processes[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Continue a frozen part."""
        os.killpg(self.processes[name].pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill every part that runs."""
        for name in list(self.processes):
            self.kill(name)

    # -- what readers and writers of the blog do ------------------------------------------------------------------

    def get(self, name: str, path: str) -> Any:
        """Return the JSON at this path of a part. Raises `HTTPError` when the answer is an error."""
        response = request("GET", self.url(name) + path, timeout=PATIENCE)
        if not response.ok:
            raise requests.HTTPError(response.text)
        return response.json()

    def send(self, name: str, path: str, body: Any, method: str = "POST") -> requests.Response:
        """Send JSON to a part."""
        return request(method, self.url(name) + path, json=body, timeout=PATIENCE)

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

    @property
    def bus(self) -> BusClient:
        """A client of this blog's bus."""
        return BusClient(self.url("event-bus"))

    def events(self) -> list[dict[str, Any]]:
        """Return the whole log."""
        return self.get("event-bus", "/events")

    def page(self) -> dict[str, dict[str, str]]:
        """Return what query shows: title → comment → status, in order."""
        posts = self.get("query", "/posts").values()
        return {post["title"]: {c["content"]: c["status"] for c in post["comments"]} for post in posts}
