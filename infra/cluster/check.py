"""Check manifests before a cluster gets them: `python -m infra.cluster.check`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from infra.cluster.manifests import MANIFESTS, WORKLOADS, Manifest, built_images, known_settings, read, selected

CURRENT = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "Ingress": "networking.k8s.io/v1"}
REMOVED = {
    "Ingress": " Kubernetes 1.22 removed the others. A backend is now service: {name: …, port: {number: …}},"
    " and every path has a pathType.",
}
SECRETIVE = re.compile("TOKEN|PASSWORD|SECRET|API_KEY")
PATTERN = re.compile(r"[?*+()\[\]|$^\\]")

Findings = Iterator[tuple[Manifest, str]]


def complaints(manifests: list[Manifest]) -> list[str]:
    """Return every fault that the checks find, each with its file and its cure."""
    return [f"{manifest.file}: {what}" for check in CHECKS for manifest, what in check(manifests)]


def versions(manifests: list[Manifest]) -> Findings:
    """Find API versions that clusters no longer serve."""
    for one in manifests:
        version, current = one.body.get("apiVersion"), CURRENT.get(one.kind)
        if current and version != current:
            cure = f"Write apiVersion: {current}.{REMOVED.get(one.kind, '')}"
            yield one, f"{one.kind} {one.name} has apiVersion {version}. {cure}"


def selectors(manifests: list[Manifest]) -> Findings:
    """Find workloads that do not select their own pods, and Services that select no pod."""
    workloads = [one for one in manifests if one.kind in WORKLOADS]
    for one in workloads:
        wanted = one.dig("spec", "selector", "matchLabels") or {}
        if not wanted.items() <= one.labels.items():
            cure = "Make spec.selector.matchLabels and spec.template.metadata.labels the same."
            yield one, f"{one.name} selects {say(wanted)}, but labels its pods {say(one.labels)}. {cure}"
    for one in manifests:
        wanted = one.dig("spec", "selector")
        if one.kind == "Service" and wanted and not selected(one, workloads):
            there = "; ".join(sorted({say(alike(workload.labels, wanted)) for workload in workloads}))
            cure = f"Write a label that pods here have: {there}."
            yield one, f"{one.name} selects {say(wanted)}, and no pod has that label. {cure}"


def services(manifests: list[Manifest]) -> Findings:
    """Find Services that lead to a port on which no container listens."""
    for one in manifests:
        for target in [port.get("targetPort", port["port"]) for port in one.ports]:
            for workload in selected(one, manifests):
                ports = [port for container in workload.containers for port in container.get("ports") or []]
                if not any(target in (port["containerPort"], port.get("name")) for port in ports):
                    there = " and ".join(f"{port['containerPort']} ({port.get('name')})" for port in ports)
                    cure = "Set targetPort to the containerPort, or to its name."
                    yield one, f"{one.name} leads to port {target}, but {workload.name} listens on {there}. {cure}"


def containers(manifests: list[Manifest]) -> Findings:
    """Find images without a Dockerfile, images that a cluster would pull from a registry, and wrong container ports."""
    built = built_images()
    for one in manifests:
        for container in one.containers:
            name, _, tag = str(container.get("image")).partition(":")
            if name not in built:
                cure = f"`make images` builds {', '.join(built)}."
                yield one, f"no Dockerfile here makes the image {name}.{suggest(name, built)} {cure}"
                continue
            if container.get("imagePullPolicy") not in ("IfNotPresent", "Never") and tag in ("", "latest"):
                why = "so Kubernetes would always pull it from a registry, which does not have it"
                yield one, f"{name} has no imagePullPolicy, {why}. Write imagePullPolicy: IfNotPresent."
            for port in [port["containerPort"] for port in container.get("ports") or []]:
                if port != built[name]:
                    cure = f"Write containerPort: {built[name]}."
                    yield one, f"{one.name} has containerPort {port}, but {name} listens on {built[name]}. {cure}"


def ingresses(manifests: list[Manifest]) -> Findings:
    """Find routes to a missing Service or port, and regular expressions in paths that must be plain."""
    there = {one.name: one for one in manifests if one.kind == "Service"}
    for one in manifests:
        rules = one.dig("spec", "rules") or [] if one.kind == "Ingress" else []
        for route in [route for rule in rules for route in (rule.get("http") or {}).get("paths") or []]:
            path, path_type = route.get("path"), route.get("pathType")
            service = (route.get("backend") or {}).get("service") or {}
            name, port = str(service.get("name")), service.get("port") or {}
            if PATTERN.search(str(path)) and path_type != "ImplementationSpecific":
                cure = "Write plain paths, as infra/k8s does, or pathType: ImplementationSpecific."
                yield one, f"{path} is a regular expression, and pathType {path_type} takes none. {cure}"
            if name not in there:
                yield one, f"{path} leads to a Service {name}, which is not here.{suggest(name, there)}"
                continue
            ports = [{"number": entry["port"], "name": entry.get("name")} for entry in there[name].ports]
            if not any(port.items() <= entry.items() for entry in ports):
                cure = f"Write port: {{number: {' or '.join(str(entry['number']) for entry in ports)}}}."
                yield one, f"{path} leads to {name} at port {say(port)}, which that Service does not have. {cure}"


def settings(manifests: list[Manifest]) -> Findings:
    """Find environment variables that no part reads, and references to a variable that is defined later or never."""
    known = known_settings()
    for one in manifests:
        names = [variable["name"] for variable in one.variables]
        used = {name for variable in one.variables for name in references(variable)}
        for place, variable in enumerate(one.variables):
            if variable["name"] not in [*known, *used]:
                yield one, f"{one.name} sets {variable['name']}, which no part reads.{suggest(variable['name'], known)}"
            for name in references(variable):
                if name not in names[:place]:
                    yield one, f"{variable['name']} uses $({name}), which has to stand above it in the same env."


def addresses(manifests: list[Manifest]) -> Findings:
    """Find settings with the URL of a missing Service, or with a port that the Service does not have."""
    there = {one.name: [port["port"] for port in one.ports] for one in manifests if one.kind == "Service"}
    for one in manifests:
        for variable in one.variables:
            url = urlsplit(str(variable.get("value", "")))
            name, what = str(url.hostname), f"{variable['name']} is {variable.get('value')}"
            if url.scheme not in ("http", "https") or references(variable):
                continue
            if name not in there:
                yield one, f"{what}: there is no such Service.{suggest(name, there)}"
            elif (url.port or 80) not in there[name]:
                yield one, f"{what}, but {name} has port {' and '.join(map(str, there[name]))}. Write that one."


def secrets(manifests: list[Manifest]) -> Findings:
    """Find secrets in plain text."""
    cure = "Make it with `kubectl create secret generic`, and refer to it by secretKeyRef."
    for one in manifests:
        if one.kind == "Secret":
            yield one, f"Secret {one.name} stands here in plain text (base64 hides nothing). {cure}"
        for variable in one.variables:
            if SECRETIVE.search(variable["name"]) and "value" in variable:
                yield one, f"{one.name} has {variable['name']} in plain text. {cure}"


def volumes(manifests: list[Manifest]) -> Findings:
    """Find mounts without a volume, and volumes without a claim."""
    claims = [one.name for one in manifests if one.kind == "PersistentVolumeClaim"]
    for one in manifests:
        there = {volume["name"]: volume for volume in one.dig("spec", "template", "spec", "volumes") or []}
        for container in one.containers:
            for name in [mount["name"] for mount in container.get("volumeMounts") or []]:
                if name not in there:
                    yield one, f"{one.name} mounts {name}, which is not among its volumes.{suggest(name, there)}"
        for volume in there.values():
            claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if claim and claim not in claims:
                yield one, f"{one.name} waits for the claim {claim}, which is not here.{suggest(claim, claims)}"


CHECKS: tuple[Callable[[list[Manifest]], Findings], ...] = (
    *(versions, selectors, services, containers, ingresses, settings, addresses, secrets, volumes),
)


def references(variable: dict[str, Any]) -> list[str]:
    """Return the names that the value of a variable refers to: `$(POD_IP)`."""
    return re.findall(r"\$\((\w+)\)", str(variable.get("value", "")))


def say(labels: dict[str, Any]) -> str:
    """Format labels as YAML on one line."""
    return ", ".join(f"{key}: {value}" for key, value in labels.items()) or "nothing"


def alike(labels: dict[str, str], wanted: dict[str, str]) -> dict[str, str]:
    """Return the labels with the same keys, or all labels if no key is the same."""
    return {key: value for key, value in labels.items() if key in wanted} or labels


def suggest(name: str, there: Iterable[str]) -> str:
    """Suggest the name that is most like this one, or list all names."""
    near = get_close_matches(name, list(there), 1, 0.5)
    return f" Did you mean {near[0]}?" if near else f" There are: {', '.join(there) or 'none'}."


def main(*paths: str) -> int:
    """Check these files or folders, or ours; return the exit status."""
    try:
        wrong = complaints(read(*map(Path, paths or [str(MANIFESTS)])))
    except yaml.YAMLError as error:
        wrong = [f"This is no YAML: {error}"]
    print("\n".join(wrong) or "The manifests are in order.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
