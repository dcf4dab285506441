"""Kubernetes manifests as Python objects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from infra.parts import ROOT

MANIFESTS = ROOT / "infra" / "k8s"
WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet"}


class Manifest(NamedTuple):
    """One Kubernetes object, and the name of its file."""

    file: str
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        """Return the kind of the object, such as Deployment."""
        return str(self.body.get("kind"))

    @property
    def name(self) -> str:
        """Return the name of the object."""
        return str(self.dig("metadata", "name"))

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels of a workload's pods."""
        return self.dig("spec", "template", "metadata", "labels") or {}

    @property
    def containers(self) -> list[dict[str, Any]]:
        """Return the containers of a workload's pods."""
        return self.dig("spec", "template", "spec", "containers") or []

    @property
    def variables(self) -> list[dict[str, Any]]:
        """Return the environment variables of these containers."""
        return [variable for container in self.containers for variable in container.get("env") or []]

    @property
    def ports(self) -> list[dict[str, Any]]:
        """Return the ports of a Service."""
        return self.dig("spec", "ports") or [] if self.kind == "Service" else []

    def dig(self, *path: str) -> Any:
        """Return the value at this path of keys, or None if a key is missing."""
        found: Any = self.body
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found


def read(*paths: Path) -> list[Manifest]:
    """Read every manifest in these files and folders. Raises `yaml.YAMLError`."""
    files = [file for path in paths for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]
    return [Manifest(file.name, body) for file in files for body in yaml.safe_load_all(file.read_text()) if body]


def selected(service: Manifest, manifests: list[Manifest]) -> list[Manifest]:
    """Return the workloads whose pods a Service leads to."""
    wanted = (service.dig("spec", "selector") or {}).items()
    return [one for one in manifests if one.kind in WORKLOADS and wanted <= one.labels.items()]


def built_images() -> dict[str, int]:
    """Return the images that the Dockerfiles build: name → port on which the part listens."""
    ports = {}
    for dockerfile in sorted(ROOT.glob("blog/*/Dockerfile")):
        [port] = re.findall(r"^EXPOSE (\d+)$", dockerfile.read_text(), re.MULTILINE)
        ports[f"minibus-{dockerfile.parent.name}"] = int(port)
    return ports


def known_settings() -> list[str]:
    """Return the settings that the parts read, as their page lists them."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    return re.findall(r"^\| `(\w+)`", page, re.MULTILINE)
