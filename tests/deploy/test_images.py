"""The images on a real engine: built from this tree, run as compose.yaml says, written to, stopped, started again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from harness.ports import free_port
from harness.waiting import PATIENCE, eventually
from infra.parts import PARTS, ROOT
from tests.support.machine import in_ci
from tests.support.system import Blog

pytestmark = pytest.mark.timeout(600)  # the first build gets every package

PROJECT = f"minibus-test-{os.getpid()}"
MEGABYTES_ABOVE_BASE = 45


def docker(*arguments: str, status: int | None = 0) -> str:
    """Run docker; return what it prints, once its exit status has been looked at."""
    done = subprocess.run(
        ["docker", *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    assert status is None or done.returncode == status, done.stdout
    return done.stdout


def inspect(name: str) -> dict[str, Any]:
    return json.loads(docker("inspect", name))[0]


@pytest.fixture(scope="module")
def compose() -> list[str]:
    """What runs compose here: Docker's plugin, or the older program."""
    if not shutil.which("docker") or subprocess.run(["docker", "version"], capture_output=True, check=False).returncode:
        in_ci("no Docker engine answers")
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    if not plugin and not shutil.which("docker-compose"):
        in_ci("there is no docker compose, and no docker-compose")
    return ["docker", "compose"] if plugin else ["docker-compose"]


@pytest.fixture(scope="module")
def images(compose: list[str]) -> None:
    """The six images of this tree, as `make images` builds them."""
    command = [sys.executable, "-m", "infra.cluster.images"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Containers(Blog):
    """The blog of compose.yaml, with other ports on this machine so that it can run beside another one."""

    def __init__(self, folder: Path, compose: list[str]) -> None:
        super().__init__(folder)
        settings = yaml.safe_load((ROOT / "compose.yaml").read_text())
        for name, service in settings["services"].items():
            if ports := service.get("ports"):
                self.ports[name] = free_port()
                [published] = ports
                service["ports"] = [re.sub(r"^127\.0\.0\.1:\d+:", f"127.0.0.1:{self.ports[name]}:", published)]
        self.file = folder / "compose.yaml"
        self.file.write_text(yaml.safe_dump(settings))
        self.compose = [*compose, "--file", str(self.file), "--project-directory", str(ROOT), "--project-name", PROJECT]

    def run(self, *arguments: str) -> str:
        """Run compose; return what it prints."""
        done = subprocess.run(
            [*self.compose, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def up(self) -> None:
        """Start all six, and wait until the engine calls each of them healthy."""
        self.run("up", "--detach", "--no-build")
        eventually(lambda: {self.state(name)["Health"]["Status"] for name in PARTS} == {"healthy"}, seconds=180)

    def container(self, name: str) -> str:
        """Return the id of a part's container, running or not."""
        labels = [f"label=com.docker.compose.{what}" for what in (f"project={PROJECT}", f"service={name}")]
        return docker("ps", "--all", "--quiet", "--filter", labels[0], "--filter", labels[1]).strip()

    def state(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of it."""
        return inspect(self.container(name))["State"]


@pytest.fixture(scope="module")
def containers(images: None, compose: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """The blog in containers, running."""
    containers = Containers(tmp_path_factory.mktemp("compose"), compose)
    try:
        containers.up()
        yield containers
    finally:
        containers.run("down", "--volumes")


def test_the_six_images_are_small_and_share_their_layers(images: None) -> None:
    built = {name: inspect(f"minibus-{name}") for name in PARTS}
    base = inspect("python:3.13-slim")
    layers = [image["RootFS"]["Layers"] for image in built.values()]
    shared = len(base["RootFS"]["Layers"]) + 4  # the working folder, the packages and what lists them, and common

    for name, image in built.items():
        assert (image["Size"] - base["Size"]) / 1e6 < MEGABYTES_ABOVE_BASE, name
        assert image["Config"]["User"] == "10001:10001"
    assert {tuple(one[:shared]) for one in layers} == {tuple(layers[0][:shared])}


@pytest.mark.parametrize("name", PARTS)
def test_an_image_has_its_code_and_no_tests_nor_caches(images: None, name: str) -> None:
    files = docker("run", "--rm", f"minibus-{name}", "find", "/app", "-type", "f").split()

    assert any(file.endswith((f"/{name}.py", "/event_bus/wsgi.py")) for file in files)
    assert [file for file in files if re.search(r"/test_|\.pyc$|/\.", file)] == []


def test_the_story_passes_through_the_published_ports(containers: Containers) -> None:
    post = containers.write_post("In containers")
    for content in ("plain", "an Orange one"):
        containers.write_comment(post, content)

    judged = {"plain": "approved", "an Orange one": "rejected"}
    eventually(lambda: containers.page()["In containers"] == judged)
    assert "In containers" in requests.get(containers.url("client"), timeout=PATIENCE).text
    console = containers.get("event-bus", "/subscribers")
    assert {name: one["state"] for name, one in console.items()} == dict.fromkeys(console, "live")
    assert set(console) == {"posts", "comments", "query", "moderation"}


def test_a_container_has_no_privileges_and_cannot_change_itself(containers: Containers) -> None:
    for name in PARTS:
        container = containers.container(name)
        assert docker("exec", container, "id", "-u").strip() == "10001"
        assert "Read-only file system" in docker("exec", container, "touch", "/app/changed", status=1)


def stops_by_itself(container: str) -> bool:
    """Stop a container, and start it again; say whether it ended within two seconds: else it is killed (137).

    Where many more processes wait than there are processors, no two seconds are enough for anything: then it is 20.
    """
    crowded = os.getloadavg()[0] > 5 * (os.cpu_count() or 1)
    docker("stop", "--time", "20" if crowded else "2", container)
    status = inspect(container)["State"]["ExitCode"]
    docker("start", container)
    assert status in (0, 137)
    return status == 0


@pytest.mark.parametrize("name", PARTS)
def test_a_container_stops_quickly_and_logs_no_error(containers: Containers, name: str) -> None:
    container = containers.container(name)

    # A machine that is busy with other tests may take its time now and then.
    assert any(stops_by_itself(container) for _ in range(3))

    assert not re.search("traceback|error|exception", docker("logs", container), re.IGNORECASE)


def test_the_log_outlives_its_containers(containers: Containers) -> None:
    eventually(lambda: {containers.state(name)["Health"]["Status"] for name in PARTS} == {"healthy"}, seconds=180)
    containers.write_post("Before")
    before = containers.events()

    containers.run("down")
    containers.up()

    assert containers.events() == before
    eventually(lambda: "Before" in containers.page())
