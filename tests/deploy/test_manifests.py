"""What containers and clusters are told: Dockerfiles, compose.yaml, infra/k8s. Needs neither Docker nor a cluster."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from jsonschema_rs import Draft7Validator

from infra.parts import PARTS, PORTS, ROOT, SERVICES

BIN = Path(sys.executable).parent
K8S = ROOT / "infra" / "k8s"
DOCKERFILES = {name: ROOT / "blog" / name / "Dockerfile" for name in PARTS}
VERSIONS = [f"1.{minor}" for minor in range(25, 38)]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())

Document = dict[str, Any]


def documents(folder: Path = K8S) -> list[Document]:
    return [one for path in sorted(folder.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())]


def of_kind(kind: str) -> dict[str, Document]:
    return {one["metadata"]["name"]: one for one in documents() if one["kind"] == kind}


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )


DEPLOYMENTS = of_kind("Deployment")


# -- images ---------------------------------------------------------------------------------------------------------


def test_hadolint_finds_no_mistake() -> None:
    done = run(BIN / "hadolint", *DOCKERFILES.values())

    assert (done.returncode, done.stdout) == (0, "")


def test_the_six_dockerfiles_begin_alike_so_that_images_share_their_layers() -> None:
    beginnings = {dockerfile.read_text().partition("\n\n")[0] for dockerfile in DOCKERFILES.values()}

    [shared] = beginnings
    assert "\nCOPY --chown=10001:10001 common common\n" in shared
    assert "# syntax=" not in shared


@pytest.mark.parametrize("name", PARTS)
def test_an_image_has_what_its_part_needs_and_starts_it_without_privileges(name: str) -> None:
    dockerfile = DOCKERFILES[name].read_text()
    project = tomllib.loads((ROOT / "blog" / name / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "blog" / "requirements.txt").read_text()
    [pinned] = re.findall(r"^# parts:.*?^# run:", lock, re.DOTALL | re.MULTILINE)

    assert "sed -n '/^# parts:/,/^# run:/p' requirements.txt > parts.txt" in dockerfile
    assert "--require-hashes -r parts.txt\n" in dockerfile
    for package in set(project["dependencies"]) - {"minibus"}:
        assert f"\n{package}==" in pinned
    assert "\nUSER 10001:10001\n" in dockerfile
    assert f"\nEXPOSE {PORTS[name]}\n" in dockerfile
    assert re.search(rf"^ENV PORT={PORTS[name]}\b", dockerfile, re.MULTILINE)
    ready = "/readyz" if name in SERVICES else "/healthz"
    assert f'"/app/common/healthy.py", "{ready}"]\n' in dockerfile.partition("HEALTHCHECK")[2]
    assert f'CMD ["gunicorn", "{PARTS[name].app}"]' in dockerfile


def test_what_is_sent_to_a_build_has_no_tests_but_the_dockerfiles() -> None:
    ignored = (ROOT / "blog" / ".dockerignore").read_text().splitlines()

    assert "**/test_*.py" in ignored
    assert not any("Dockerfile" in line for line in ignored if not line.startswith("#"))


# -- compose --------------------------------------------------------------------------------------------------------


def test_compose_runs_the_six_and_publishes_on_this_machine_only_what_a_browser_calls() -> None:
    published = {name: service.get("ports", []) for name, service in COMPOSE["services"].items()}

    assert published == {name: [f"127.0.0.1:{port}:{port}"] for name, port in PORTS.items()} | {"moderation": []}


@pytest.mark.parametrize("name", PARTS)
def test_compose_gives_a_part_no_more_than_it_needs(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["image"] == f"minibus-{name}"
    assert service["build"] == {"context": "blog", "dockerfile": f"{name}/Dockerfile"}
    assert service.get("volumes", []) == (["log:/data"] if name == "event-bus" else [])


def test_compose_sets_only_settings_that_there_are() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()

    used = {name for service in COMPOSE["services"].values() for name in service["environment"]}

    assert used <= set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))


# -- manifests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_every_supported_kubernetes_knows_every_field(version: str) -> None:
    for document in documents():
        kubernetes_validate.validate(document, version, strict=True)


def test_kustomize_and_apply_see_the_same_objects() -> None:
    done = run(BIN / "kubectl", "kustomize", K8S)
    assert done.returncode == 0, done.stdout

    def names(objects: list[Document]) -> set[tuple[str, str]]:
        return {(one["kind"], one["metadata"]["name"]) for one in objects}

    assert names(list(yaml.safe_load_all(done.stdout))) == names(documents())


def test_the_names_are_the_courses() -> None:
    services = of_kind("Service")

    assert set(DEPLOYMENTS) == {f"{name}-depl" for name in PARTS}
    assert set(services) == {f"{name}-clusterip-srv" for name in PARTS} | {"posts-srv"}
    for name, port in PORTS.items():
        assert services[f"{name}-clusterip-srv"]["spec"]["type"] == "ClusterIP"
        assert services[f"{name}-clusterip-srv"]["spec"]["selector"] == {"app": name}
        assert [entry["port"] for entry in services[f"{name}-clusterip-srv"]["spec"]["ports"]] == [port]
    assert services["posts-srv"]["spec"]["type"] == "NodePort"
    assert services["posts-srv"]["spec"]["ports"][0]["port"] == 4000


def test_the_ingress_routes_as_the_courses_does_without_patterns() -> None:
    [ingress] = of_kind("Ingress").values()
    [rule] = ingress["spec"]["rules"]
    routes = [
        (path["path"], path["pathType"], path["backend"]["service"]["name"].removesuffix("-clusterip-srv"))
        for path in rule["http"]["paths"]
    ]

    assert ingress["metadata"]["name"] == "ingress-srv"
    assert (ingress["spec"]["ingressClassName"], rule["host"]) == ("nginx", "posts.com")
    assert "annotations" not in ingress["metadata"]
    assert routes == [
        ("/posts/create", "Prefix", "posts"),
        ("/posts/stream", "Prefix", "query"),
        ("/posts", "Exact", "query"),
        ("/posts/", "Prefix", "comments"),
        ("/", "Exact", "client"),
        ("/static", "Prefix", "client"),
    ]


@pytest.mark.parametrize("name", PARTS)
def test_a_pod_passes_the_restricted_security_standard(name: str) -> None:
    pod = DEPLOYMENTS[f"{name}-depl"]["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert {*pod} & {"hostNetwork", "hostPID", "hostIPC", "initContainers"} == set()
    assert all("hostPath" not in volume for volume in pod.get("volumes", []))


@pytest.mark.parametrize("name", PARTS)
def test_a_pod_is_asked_whether_it_started_is_ready_and_lives(name: str) -> None:
    [container] = DEPLOYMENTS[f"{name}-depl"]["spec"]["template"]["spec"]["containers"]

    asked = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")}
    ready = "/readyz" if name in SERVICES else "/healthz"
    assert asked == {"startup": "/healthz", "readiness": ready, "liveness": "/healthz"}


@pytest.mark.parametrize("name", ["posts", "comments", "query", "client"])
def test_a_pod_that_ends_still_answers_until_all_have_noticed(name: str) -> None:
    pod = DEPLOYMENTS[f"{name}-depl"]["spec"]["template"]["spec"]
    [program, seconds] = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]

    assert program == "sleep"
    assert int(seconds) < pod["terminationGracePeriodSeconds"] - 3


def test_all_pods_together_fit_on_a_minikube_of_two_processors_and_2_gb() -> None:
    containers = [one["spec"]["template"]["spec"]["containers"][0] for one in DEPLOYMENTS.values()]
    requests = [container["resources"]["requests"] for container in containers]
    limits = [container["resources"]["limits"] for container in containers]

    def megabytes(quantity: str) -> int:
        assert quantity.endswith("Mi")
        return int(quantity[:-2])

    # A Kubernetes of one node takes 850 thousandths of a processor for itself.
    assert sum(int(request["cpu"].removesuffix("m")) for request in requests) <= 2000 - 850
    assert sum(megabytes(request["memory"]) for request in requests) <= 1000
    for request, limit in zip(requests, limits, strict=True):
        assert megabytes(request["memory"]) <= megabytes(limit["memory"])
        assert int(request["cpu"].removesuffix("m")) <= 1000 * int(limit["cpu"])


def test_the_bus_is_one_writer_whose_log_outlives_it() -> None:
    spec = DEPLOYMENTS["event-bus-depl"]["spec"]
    pod = spec["template"]["spec"]

    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert pod["containers"][0]["volumeMounts"] == [{"name": "log", "mountPath": "/data"}]
    assert pod["volumes"] == [{"name": "log", "persistentVolumeClaim": {"claimName": "event-bus-data"}}]
    assert "DATA_DIR=/data" in DOCKERFILES["event-bus"].read_text()
    assert pod["securityContext"]["fsGroup"] == 10001


def test_only_the_services_reach_the_bus() -> None:
    [policy] = of_kind("NetworkPolicy").values()
    [rule] = policy["spec"]["ingress"]
    [caller] = rule["from"]
    wanted = caller["podSelector"]["matchLabels"].items()
    labels = {name: DEPLOYMENTS[f"{name}-depl"]["spec"]["template"]["metadata"]["labels"] for name in PARTS}

    assert policy["spec"]["podSelector"]["matchLabels"] == {"app": "event-bus"}
    assert {name for name in PARTS if wanted <= labels[name].items()} == set(SERVICES)
    assert rule["ports"] == [{"protocol": "TCP", "port": 4005}]


@pytest.mark.parametrize("name", SERVICES)
def test_a_pod_registers_under_its_own_name_and_address_and_is_forgotten_when_it_is_gone(name: str) -> None:
    [container] = DEPLOYMENTS[f"{name}-depl"]["spec"]["template"]["spec"]["containers"]
    variables = {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in container["env"]}

    assert variables["SUBSCRIBER_NAME"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert variables["POD_IP"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert variables["SERVICE_URL"] == f"http://$(POD_IP):{PORTS[name]}"
    assert float(variables["EPHEMERAL"]) > 5


# -- what learners break, and what they are told --------------------------------------------------------------------


def check(*paths: Path) -> tuple[int, str]:
    done = run(sys.executable, "-m", "infra.cluster.check", *paths)
    return done.returncode, done.stdout


def test_our_manifests_are_in_order() -> None:
    assert check() == (0, "The manifests are in order.\n")


V1BETA1 = """\
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata: {name: ingress-srv}
spec: {rules: [{host: posts.com, http: {paths: [{path: /, backend: {serviceName: client-srv, servicePort: 3000}}]}}]}
"""
OPAQUE = "apiVersion: v1\nkind: Secret\nmetadata: {name: bus-token}\nstringData: {token: s3cret}\n"
PLAIN = "name: BUS_TOKEN\n              value: s3cret #"
REGEX = 'path: "/posts/?(.*)/comments"\n            pathType: Prefix'

# The file, what is in it, what a learner writes instead, and what the complaint says: cause and cure.
BROKEN = {
    "wrong selector of a Service": (
        *("posts-srv.yaml", "selector: {app: posts}", "selector: {app: post}"),
        *("posts-srv selects app: post, and no pod has that label", "a label that pods here have: app: client"),
    ),
    "wrong selector of a Deployment": (
        *("query-depl.yaml", "matchLabels: {app: query}", "matchLabels: {app: queries}"),
        *("query-depl selects app: queries, but labels its pods app: query", "Make spec.selector.matchLabels and"),
    ),
    "wrong target port": (
        *("posts-srv.yaml", "targetPort: http", "targetPort: 4001"),
        *("posts-srv leads to port 4001, but posts-depl listens on 4000 (http)", "Set targetPort to the containerPort"),
    ),
    "wrong container port": (
        *("query-depl.yaml", "containerPort: 4002", "containerPort: 3000"),
        *("query-depl has containerPort 3000, but minibus-query listens on 4002", "Write containerPort: 4002"),
    ),
    "wrong port of an address": (
        *("posts-depl.yaml", "event-bus-clusterip-srv:4005", "event-bus-clusterip-srv:4000"),
        *("EVENT_BUS_URL is http://event-bus-clusterip-srv:4000", "event-bus-clusterip-srv has port 4005"),
    ),
    "an address without a Service": (
        *("posts-depl.yaml", "event-bus-clusterip-srv:4005", "event-bus-srv:4005"),
        *("there is no such Service", "Did you mean event-bus-clusterip-srv?"),
    ),
    "wrong port of a route": (
        *("ingress-srv.yaml", "port: {number: 4001}", "port: {number: 4000}"),
        *("/posts/ leads to comments-clusterip-srv at port number: 4000", "Write port: {number:"),
    ),
    "a route without a Service": (
        *("ingress-srv.yaml", "name: client-clusterip-srv", "name: client-srv"),
        *("/ leads to a Service client-srv, which is not here", "Did you mean client-clusterip-srv?"),
    ),
    "a regular expression": (
        *("ingress-srv.yaml", "path: /posts/\n            pathType: Prefix", REGEX),
        *("is a regular expression, and pathType Prefix takes none", "or pathType: ImplementationSpecific"),
    ),
    "a v1beta1 Ingress": (
        *("ingress-srv.yaml", None, V1BETA1),
        *("Write apiVersion: networking.k8s.io/v1. Kubernetes 1.22 removed the others", "every path has a pathType"),
    ),
    "an image that no Dockerfile builds": (
        *("posts-depl.yaml", "image: minibus-posts", "image: stephengrider/posts"),
        *("no Dockerfile here makes the image stephengrider/posts", "`make images` builds minibus-client,"),
    ),
    "an image that is always pulled": (
        *("posts-depl.yaml", "imagePullPolicy: IfNotPresent", "imagePullPolicy: Always"),
        *("Kubernetes would always pull it from a registry, which does not have it", "Write imagePullPolicy: IfNot"),
    ),
    "a setting that no part reads": (
        *("posts-depl.yaml", "name: EVENT_BUS_URL", "name: EVENTBUS_URL"),
        *("posts-depl sets EVENTBUS_URL, which no part reads", "Did you mean EVENT_BUS_URL?"),
    ),
    "a reference to what comes later": (
        *("posts-depl.yaml", "name: POD_IP", "name: POD_ADDRESS"),
        *("SERVICE_URL uses $(POD_IP)", "has to stand above it in the same env"),
    ),
    "a secret in plain text": (
        *("posts-depl.yaml", "name: BUS_TOKEN", PLAIN),
        *("posts-depl has BUS_TOKEN in plain text", "kubectl create secret generic"),
    ),
    "a Secret in the repository": (
        *("secret.yaml", None, OPAQUE),
        *("Secret bus-token stands here in plain text", "kubectl create secret generic"),
    ),
    "a claim that no manifest makes": (
        *("event-bus-depl.yaml", "claimName: event-bus-data", "claimName: event-bus"),
        *("event-bus-depl waits for the claim event-bus, which is not here", "Did you mean event-bus-data?"),
    ),
    "a mount without a volume": (
        *("event-bus-depl.yaml", "{name: log, mountPath: /data}", "{name: logs, mountPath: /data}"),
        *("event-bus-depl mounts logs, which is not among its volumes", "Did you mean log?"),
    ),
    "no YAML": (
        *("posts-srv.yaml", "kind: Service", "kind Service"),
        *("This is no YAML", "line 3"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", BROKEN)
def test_what_learners_break_is_reported_with_its_cure(tmp_path: Path, mistake: str) -> None:
    name, right, wrong, cause, cure = BROKEN[mistake]
    shutil.copytree(K8S, tmp_path / "k8s")
    file = tmp_path / "k8s" / name
    text = wrong if right is None else file.read_text().replace(right, wrong, 1)
    assert right is None or text != file.read_text()
    file.write_text(text)

    status, said = check(tmp_path / "k8s")

    assert status == 1
    told = [line for line in said.splitlines() if cause in line]
    assert told, said
    assert cure in said if mistake == "no YAML" else (told[0].startswith(f"{name}: ") and cure in told[0]), said


# -- Skaffold, which cannot be run here ------------------------------------------------------------------------------


SKAFFOLD = yaml.safe_load((ROOT / "skaffold.yaml").read_text())
ARTIFACTS = {artifact["image"]: artifact for artifact in SKAFFOLD["build"]["artifacts"]}


def test_skaffolds_file_is_as_its_schema_says() -> None:
    schema = Draft7Validator(json.loads((ROOT / "tests" / "deploy" / "schemas" / "skaffold-v4beta13.json").read_text()))

    assert [error.message for error in schema.iter_errors(SKAFFOLD)] == []
    assert not schema.is_valid({**SKAFFOLD, "biuld": {}})


@pytest.mark.parametrize("name", PARTS)
def test_skaffold_builds_the_six_and_copies_files_to_where_their_images_have_them(name: str) -> None:
    artifact = ARTIFACTS[f"minibus-{name}"]

    assert artifact["context"] == "blog"
    assert artifact["docker"] == {"dockerfile": f"{name}/Dockerfile"}
    for rule in artifact["sync"]["manual"]:
        folder = rule["src"].partition("/")[0]
        assert list((ROOT / "blog").glob(rule["src"])) != [], f"{rule['src']} means no file"
        assert f"COPY --chown=10001:10001 {folder} {folder}\n" in DOCKERFILES[name].read_text()
        assert rule["dest"] == "/app"


def test_the_dev_profile_lifts_the_read_only_root_and_runs_what_reloads_itself() -> None:
    [profile] = SKAFFOLD["profiles"]
    [folder] = profile["manifests"]["kustomize"]["paths"]
    done = run(BIN / "kubectl", "kustomize", folder)
    assert done.returncode == 0, done.stdout
    changed = {one["metadata"]["name"]: one for one in yaml.safe_load_all(done.stdout) if one["kind"] == "Deployment"}

    for name in PARTS:
        [container] = changed[f"{name}-depl"]["spec"]["template"]["spec"]["containers"]
        [before] = DEPLOYMENTS[f"{name}-depl"]["spec"]["template"]["spec"]["containers"]
        security = {**before["securityContext"], "readOnlyRootFilesystem": False}
        command = {} if name == "event-bus" else {"command": ["python", f"{name}.py"]}
        assert container == {**before, "securityContext": security, **command}
