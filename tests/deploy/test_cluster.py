"""What the make targets for containers and clusters say, beforehand and when it fails; the programs are stand-ins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.parts import PARTS, ROOT

TOOLS = ("sh", "cat", "env")


class Machine:
    """A machine with only the programs that a test puts there; each notes how it was called."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        self.bin.mkdir()
        self.calls.touch()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(f"/bin/{tool}" if Path(f"/bin/{tool}").exists() else f"/usr/bin/{tool}")

    def has(self, program: str, *answers: tuple[str, object, int]) -> None:
        """Put a program there that answers, by words in its arguments, the first that fits: text and exit status."""
        cases = ""
        for number, (words, text, status) in enumerate([*answers, ("", "", 0)]):
            answer = self.bin.parent / f"{program}.{number}"
            answer.write_text(text if isinstance(text, str) else json.dumps(text))
            stream = ">&2" if status else ""
            cases += f'case "$*" in *"{words}"*) cat "{answer}" {stream}; exit {status};; esac\n'
        file = self.bin / program
        file.write_text(f'#!/bin/sh\necho "{program} $*" >> "{self.calls}"\n{cases}')
        file.chmod(0o755)

    def run(self, script: str, *arguments: str, answer: str = "") -> tuple[int, str]:
        """Run one of infra/cluster's modules; return its exit status and what it says."""
        done = subprocess.run(
            [sys.executable, "-m", f"infra.cluster.{script}", *arguments],
            cwd=ROOT, env={**os.environ, "PATH": str(self.bin)}, input=answer, text=True, timeout=60, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.returncode, done.stdout

    def called(self, program: str) -> list[str]:
        """Return the arguments of each of its calls."""
        lines = self.calls.read_text().splitlines()
        return [line.removeprefix(f"{program} ") for line in lines if line.startswith(f"{program} ")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def items(*objects: dict[str, Any]) -> dict[str, Any]:
    return {"items": list(objects)}


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **more}}


CONFIG = {"current-context": "minikube", "contexts": [{"context": {"namespace": "blog"}}]}
IMAGES = [{"names": [f"docker.io/library/minibus-{name}:latest"]} for name in PARTS]
NODES = items({"status": {"images": IMAGES}})
DEFAULT = named("standard", annotations={"storageclass.kubernetes.io/is-default-class": "true"})
READY = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "observedGeneration": 1}
DEPLOYMENTS = items(
    *({**named(f"{name}-depl", generation=1), "spec": {"replicas": 1}, "status": READY} for name in PARTS)
)
WELL: list[tuple[str, object, int]] = [
    ("config view", CONFIG, 0),
    ("get nodes", NODES, 0),
    ("get storageclasses", items(DEFAULT), 0),
    ("get ingressclasses", items(named("nginx")), 0),
    ("get deployments", DEPLOYMENTS, 0),
    ("apply", "deployment.apps/posts-depl created\n", 0),
]


def pod(reason: str, message: str = "") -> dict[str, Any]:
    waiting = {"waiting": {"reason": reason, "message": message}}
    return {**named("posts-depl-1"), "status": {"containerStatuses": [{"state": waiting, "image": "minibus-posts"}]}}


def unschedulable(message: str) -> dict[str, Any]:
    condition = {"reason": "Unschedulable", "message": message}
    return {**named("event-bus-depl-1"), "status": {"conditions": [condition]}}


# -- images ---------------------------------------------------------------------------------------------------------


def test_without_docker_make_images_says_where_to_get_it(machine: Machine) -> None:
    status, said = machine.run("images")

    assert status == 1
    assert "Docker is not installed here" in said


def test_with_docker_stopped_make_images_says_how_to_start_it(machine: Machine) -> None:
    machine.has("docker", ("version", "Cannot connect to the Docker daemon", 1))

    status, said = machine.run("images")

    assert status == 1
    assert "Start Docker Desktop, or: sudo systemctl start docker" in said
    assert "Cannot connect to the Docker daemon" in said


def test_an_image_that_does_not_build_is_reported_with_dockers_output(machine: Machine) -> None:
    machine.has("docker", ("minibus-comments", "no space left on device", 1))

    status, said = machine.run("images")

    assert status == 1
    assert "no space left on device" in said
    assert "--tag minibus-comments --file comments/Dockerfile ." in said


# -- deploy ---------------------------------------------------------------------------------------------------------


def test_without_kubectl_make_deploy_says_where_to_get_it(machine: Machine) -> None:
    assert machine.run("deploy") == (
        *(1, "kubectl is not installed here, or not on the PATH: https://kubernetes.io/docs/tasks/tools/\n"),
    )


def test_where_kubectl_points_at_nothing_make_deploy_says_how_to_choose(machine: Machine) -> None:
    machine.has("kubectl", ("config view", "error: current-context must exist", 1))

    status, said = machine.run("deploy")

    assert status == 1
    assert said.startswith("kubectl points at no cluster. Start one (make minikube)")


def test_a_cluster_that_does_not_answer_is_named_with_how_to_start_it(machine: Machine) -> None:
    machine.has("kubectl", ("config view", CONFIG, 0), ("/version", "connection refused", 1))

    status, said = machine.run("deploy")

    assert status == 1
    assert "The cluster minikube does not answer. Start it: minikube start" in said
    assert machine.called("kubectl")[-1].startswith("get --raw=/version")


def test_make_deploy_applies_waits_and_says_what_to_open(machine: Machine) -> None:
    machine.has("kubectl", *WELL)

    status, said = machine.run("deploy")

    assert status == 0, said
    assert "Deploying to minikube, in the namespace blog" in said
    assert "posts-depl       ready" in said
    assert "make forward" in said
    assert "rollout restart deployment/posts-depl" in machine.called("kubectl")


@pytest.mark.parametrize(
    ("what", "answer", "warning"),
    [
        ("get nodes", items({"status": {"images": IMAGES[1:]}}), "does not list the image minibus-"),
        ("get storageclasses", items(named("slow")), "minikube addons enable default-storageclass"),
        ("get ingressclasses", items(), "minikube addons enable ingress"),
    ],
)
def test_what_a_cluster_lacks_is_reported_beforehand(machine: Machine, what: str, answer: object, warning: str) -> None:
    machine.has("kubectl", (what, answer, 0), *WELL)

    status, said = machine.run("deploy")

    assert status == 0
    assert warning in said
    assert said.index(warning) < said.index("applied")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (pod("ImagePullBackOff"), "posts-depl-1: the cluster has no image minibus-posts. On minikube: make minikube."),
        (pod("ErrImagePull"), "posts-depl-1: the cluster has no image minibus-posts. On minikube: make minikube."),
        (pod("CrashLoopBackOff"), "event-bus: the folder /data cannot be written"),
        (pod("CreateContainerConfigError", 'secret "x" not found'), 'is missing or lacks a key: secret "x" not found'),
        (unschedulable("Insufficient cpu"), "minikube start --cpus=4"),
        (unschedulable("unbound immediate PersistentVolumeClaims"), "kubectl get storageclass"),
    ],
)
def test_a_pod_that_does_not_start_is_reported_with_cause_and_cure(
    machine: Machine, trouble: dict[str, Any], told: str
) -> None:
    waiting = items({**DEPLOYMENTS["items"][0], "status": {}})
    logs = ("logs", "event-bus: the folder /data cannot be written", 0)
    machine.has("kubectl", ("get deployments", waiting, 0), ("get pods", items(trouble), 0), logs, *WELL)

    status, said = machine.run("deploy")

    assert status == 1
    assert told in said
    assert "docs/troubleshooting.md" in said


def test_make_undeploy_asks_first(machine: Machine) -> None:
    machine.has("kubectl", *WELL, ("delete", "deployment.apps/posts-depl deleted\n", 0))

    _, refused = machine.run("deploy", "undeploy", answer="no\n")
    assert not [call for call in machine.called("kubectl") if call.startswith("delete")]
    _, agreed = machine.run("deploy", "undeploy", answer="yes\n")

    assert "This deletes the blog from minikube, in the namespace blog, with its log" in refused
    assert "Nothing is deleted." in refused
    assert "The blog is gone." in agreed


def test_make_forward_wants_the_blog_to_be_there(machine: Machine) -> None:
    machine.has("kubectl", *WELL, ("get services", items(named("kubernetes")), 0))

    status, said = machine.run("forward")

    assert status == 1
    assert "There is no client-clusterip-srv in minikube, in the namespace blog. First: make deploy" in said


def test_make_forward_says_whose_port_is_taken(machine: Machine) -> None:
    services = items(*(named(f"{name}-clusterip-srv") for name in PARTS))
    taken = ("port-forward", "error: unable to listen on any of the requested ports: [{3000 3000}]", 1)
    machine.has("kubectl", *WELL, ("get services", services, 0), taken)

    status, said = machine.run("forward")

    assert status == 1
    assert "Port 3000 (client) is in use by another program,\nperhaps make up or docker compose." in said


# -- minikube -------------------------------------------------------------------------------------------------------

BUILT = "\n".join(f"docker.io/library/minibus-{name}:latest" for name in PARTS)
DOCKER_DRIVER = json.dumps({"valid": [{"Name": "minikube", "Config": {"Driver": "docker"}}]}, separators=(",", ":"))


def test_without_minikube_make_minikube_says_where_to_get_it(machine: Machine) -> None:
    status, said = machine.run("minikube")

    assert status == 1
    assert "https://minikube.sigs.k8s.io/docs/start/" in said


def test_make_minikube_starts_it_builds_in_it_deploys_and_says_what_to_open(machine: Machine) -> None:
    stopped, driver = ("status", "Stopped", 7), ("profile list", DOCKER_DRIVER, 0)
    machine.has("minikube", stopped, ("image ls", BUILT, 0), driver)
    machine.has("kubectl", *WELL)

    status, said = machine.run("minikube")

    assert status == 0, said
    calls = machine.called("minikube")
    assert calls[:3] == ["status", "start", "addons enable ingress"]
    for name in PARTS:
        assert f"image build --tag minibus-{name} --file {name}/Dockerfile ." in calls
    assert all("--context=minikube" in call for call in machine.called("kubectl"))
    assert said.index("make forward") < said.index("minikube tunnel") < said.index("127.0.0.1 posts.com")


def test_with_another_driver_posts_com_is_where_minikube_is(machine: Machine) -> None:
    driver = ("profile list", DOCKER_DRIVER.replace('"docker"', '"kvm2"'), 0)
    machine.has("minikube", ("image ls", BUILT, 0), driver, ("ip", "192.0.2.7\n", 0))
    machine.has("kubectl", *WELL)

    _, said = machine.run("minikube")

    assert "minikube is running." in said
    assert "192.0.2.7 posts.com" in said


def test_a_build_that_only_seemed_to_succeed_is_noticed(machine: Machine) -> None:
    machine.has("minikube", ("image ls", BUILT.replace("minibus-query", "other"), 0))

    status, said = machine.run("minikube")

    assert status == 1
    assert "minikube has built nothing for query" in said


def test_every_reason_that_is_explained_stands_in_the_page_on_troubles() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()

    for words in (
        *("ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff", "CreateContainerConfigError", "Pending"),
        *("minikube ip", "minikube tunnel", "pathType Prefix", "ImplementationSpecific", "v1beta1", "::1"),
        *("skaffold dev", "ALLOWED_HOSTS", "SUBSCRIBER_HOSTS", "lost connection to pod"),
    ):
        assert words in page
