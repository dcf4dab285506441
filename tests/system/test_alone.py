"""One part alone, as its developer runs it: `python posts.py`, with reload."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from harness.ports import free_port
from harness.waiting import PATIENCE, eventually
from infra.parts import ROOT
from tests.support.system import Blog


@pytest.fixture
def alone(new_blog: Blog, tmp_path: Path) -> Iterator[Path]:
    """posts alone in a copy of its file, the bus by `python -m event_bus`; both with real threads, without gunicorn."""
    file = shutil.copy(ROOT / "blog" / "posts" / "posts.py", tmp_path)
    new_blog.ports["posts"] = free_port()
    processes = []
    for name, command in (("event-bus", ["-m", "event_bus"]), ("posts", [str(file)])):
        environment = {
            **os.environ,
            "DATA_DIR": str(tmp_path / "data"),
            "EVENT_BUS_URL": new_blog.url("event-bus"),
            "SUBSCRIBERS": "",
            "PORT": str(new_blog.ports[name]),
        }
        with (tmp_path / f"{name}.log").open("wb") as log:
            processes.append(subprocess.Popen([sys.executable, *command], env=environment, stdout=log, stderr=log))
    yield Path(file)
    for process in processes:
        process.terminate()
        process.wait(PATIENCE)


def test_a_mended_service_applies_the_event_that_was_parked(alone: Path, new_blog: Blog) -> None:
    mended = alone.read_text()
    half_done = '    posts["half"] = post\n    assert post["title"] != "Poison"\n    del posts["half"]\n'
    alone.write_text(mended.replace("    posts.setdefault", f"{half_done}    posts.setdefault"))
    eventually(lambda: "assert post" in new_blog.get("posts", "/handlers")["PostCreated"]["source"])
    eventually(lambda: new_blog.get("event-bus", "/healthz"))
    for title in ("Before", "Poison", "After"):
        event = {"type": "PostCreated", "data": {"id": title.lower(), "title": title}}
        assert new_blog.send("event-bus", "/events", event).ok
    eventually(lambda: new_blog.get("event-bus", "/subscribers/posts")["parked"] == [2])
    eventually(lambda: list(new_blog.get("posts", "/posts")) == ["before", "after"])

    alone.write_text(mended)

    eventually(lambda: list(new_blog.get("posts", "/posts")) == ["before", "poison", "after"])
    assert new_blog.get("event-bus", "/subscribers/posts")["parked"] == []


def test_a_service_reloads_when_its_file_changes_and_is_replayed(alone: Path, new_blog: Blog) -> None:
    eventually(lambda: new_blog.answers("posts", "/readyz"))
    new_blog.write_post("Written before the change")

    alone.write_text(alone.read_text().replace('@app.get("/posts")', '@app.get("/articles")\n@app.get("/posts")'))

    eventually(lambda: new_blog.get("posts", "/articles") != {})
    assert [post["title"] for post in new_blog.get("posts", "/articles").values()] == ["Written before the change"]
    assert new_blog.get("event-bus", "/subscribers/posts")["state"] == "live"


def test_the_page_takes_a_changed_template_without_a_restart(new_blog: Blog, tmp_path: Path) -> None:
    folder = shutil.copytree(ROOT / "blog" / "client", tmp_path / "client")
    template = folder / "templates" / "index.html"
    environment = {**os.environ, "PORT": str(new_blog.ports["client"]), "QUERY_URL": new_blog.url("query")}
    with (tmp_path / "client.log").open("wb") as log:
        command = [sys.executable, str(folder / "client.py")]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        eventually(lambda: "Create Post" in requests.get(new_blog.url("client"), timeout=PATIENCE).text)

        template.write_text(template.read_text().replace("Create Post", "Write a Post"))

        eventually(lambda: "Write a Post" in requests.get(new_blog.url("client"), timeout=PATIENCE).text)
    finally:
        process.terminate()
        process.wait(PATIENCE)
