"""The cluster that `kubectl` points at: what it lacks, whether the blog is ready, and why a pod does not start."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

NO_KUBECTL = "kubectl is not installed here, or not on the PATH: https://kubernetes.io/docs/tasks/tools/"
NO_CONTEXT = """\
kubectl points at no cluster. Start one (make minikube), or choose one:
kubectl config use-context NAME"""
NO_ANSWER = "The cluster {context} does not answer. {cure} kubectl says:\n{said}"
NO_IMAGES = """\
The cluster does not list the image {image}, so its pods may not start.
On minikube: make minikube. Elsewhere: make images, then load them into the
cluster, as `kind load docker-image {image}` does."""
NO_STORAGE = """\
The cluster has no default StorageClass, so the event bus would never get its
volume. Look: kubectl get storageclass.
On minikube: minikube addons enable default-storageclass"""
NO_INGRESS = """\
The cluster has no ingress controller of the class nginx, so http://posts.com
will not answer. make forward works without one.
On minikube: minikube addons enable ingress"""

NO_IMAGE = "the cluster has no image {image}. On minikube: make minikube. Elsewhere: make images, then load it."
CURES = {
    "ErrImagePull": NO_IMAGE,
    "ImagePullBackOff": NO_IMAGE,
    "InvalidImageName": "{image} is no name of an image. Write minibus- and the part's name.",
    "CreateContainerConfigError": "a Secret or ConfigMap that it names is missing or lacks a key: {message}",
    "CreateContainerError": "the cluster cannot make its container: {message}",
    "CrashLoopBackOff": "its container exits again and again. Its last lines (kubectl logs {pod} --previous):\n{log}",
    "Unschedulable": "no node can run it: {message}",
}
FULL = " The nodes are full: stop something, or give minikube more (minikube start --cpus=4 --memory=4g)."
VOLUME = " Is there a default StorageClass? kubectl get storageclass; minikube addons enable default-storageclass"


class ClusterError(Exception):
    """Raised with the error message of kubectl."""


class Cluster:
    """Runs kubectl against one context and namespace, by default the current ones."""

    def __init__(self, context: str = "", namespace: str = "") -> None:
        self.where = [f"--context={context}"] if context else []
        self.where += [f"--namespace={namespace}"] if namespace else []

    def kubectl(self, *arguments: str, given: str = "") -> str:
        """Run kubectl; return what it prints. Raises `ClusterError`."""
        command = ["kubectl", *self.where, *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClusterError(done.stderr.strip() or f"{' '.join(command)} ended with {done.returncode}")
        return done.stdout

    def get(self, *what: str) -> list[dict[str, Any]]:
        """Return objects of this kind. Raises `ClusterError`."""
        return json.loads(self.kubectl("get", *what, "--output=json"))["items"]

    def name(self) -> str:
        """Return the context's name and namespace for a message. Raises `ClusterError`."""
        context = json.loads(self.kubectl("config", "view", "--minify", "--output=json"))
        [namespace] = [option[12:] for option in self.where if option.startswith("--namespace=")] or [
            (context["contexts"][0]["context"] or {}).get("namespace", "default")
        ]
        return f"{context['current-context']}, in the namespace {namespace}"

    def what_is_missing(self) -> str:
        """Return why a deployment is impossible, or an empty string."""
        if not shutil.which("kubectl"):
            return NO_KUBECTL
        try:
            context = json.loads(self.kubectl("config", "view", "--minify", "--output=json"))["current-context"]
        except ClusterError:
            return NO_CONTEXT
        try:
            self.kubectl("get", "--raw=/version", "--request-timeout=5s")
        except ClusterError as error:
            cure = "Start it: minikube start." if context == "minikube" else "Is it running?"
            return NO_ANSWER.format(context=context, cure=cure, said=error)
        return ""

    def warnings(self, images: list[str]) -> list[str]:
        """Return warnings about what the cluster seems to lack: images, storage, an ingress controller."""
        said = []
        # A node lists no more than its 50 largest images.
        there = [
            name for node in self.get("nodes") for image in node["status"].get("images", []) for name in image["names"]
        ]
        missing = [image for image in images if not any(is_image(name, image) for name in there)]
        if missing and len(there) < 50:
            said.append(NO_IMAGES.format(image=missing[0]))
        classes = [item["metadata"].get("annotations", {}) for item in self.get("storageclasses")]
        if not any(notes.get("storageclass.kubernetes.io/is-default-class") == "true" for notes in classes):
            said.append(NO_STORAGE)
        if "nginx" not in [item["metadata"]["name"] for item in self.get("ingressclasses")]:
            said.append(NO_INGRESS)
        return said

    def await_ready(self, seconds: float = 180, verbose: bool = True) -> None:
        """Wait until every Deployment is ready, and print each one that is.

        Raises `ClusterError` with cause and cure: when time is up, or as soon as a pod cannot start.
        """
        begun, ready, hopeless = time.monotonic(), set[str](), 0
        while True:
            deployments = {item["metadata"]["name"]: item for item in self.get("deployments")}
            for name in sorted({name for name, item in deployments.items() if is_ready(item)} - ready):
                ready.add(name)
                if verbose:
                    print(f"  {name:<16} ready after {time.monotonic() - begun:3.0f} s", flush=True)
            if len(ready) == len(deployments):
                return
            troubles = list(self.troubles())
            # A trouble that is seen once may pass: a pod that is being replaced disappears by itself.
            hopeless = hopeless + 1 if troubles else 0
            late = time.monotonic() - begun > seconds
            if hopeless > 10 or late:
                waiting = ", ".join(sorted(deployments.keys() - ready))
                unknown = [
                    f"{waiting}: not ready after {seconds:.0f} s. Look: kubectl get pods; kubectl describe pod NAME"
                ]
                raise ClusterError("\n".join(troubles or unknown))
            time.sleep(0.5)

    def troubles(self) -> Iterator[str]:
        """Yield for every pod that does not start the cause and the cure."""
        for pod in self.get("pods"):
            name, status = pod["metadata"]["name"], pod["status"]
            for condition in status.get("conditions") or []:
                if condition.get("reason") == "Unschedulable":
                    message = condition["message"]
                    more = FULL if "Insufficient" in message else VOLUME if "PersistentVolumeClaim" in message else ""
                    yield f"{name}: {CURES['Unschedulable'].format(message=message)}{more}"
            for container in status.get("containerStatuses") or []:
                waiting = container["state"].get("waiting") or {}
                if cure := CURES.get(str(waiting.get("reason"))):
                    log = self.last_lines(name) if "{log}" in cure else ""
                    image, message = container["image"], waiting.get("message", "")
                    yield f"{name}: {cure.format(image=image, message=message, pod=name, log=log)}"

    def last_lines(self, pod: str) -> str:
        """Return the last lines that a pod's previous container printed."""
        try:
            return self.kubectl("logs", pod, "--previous", "--tail=5").rstrip()
        except ClusterError as error:
            return str(error)


def is_image(name: str, image: str) -> bool:
    """Return whether a node's name for an image (`docker.io/library/minibus-posts:latest`) means this one."""
    return name.partition("@")[0].rpartition("/")[2].partition(":")[0] == image


def is_ready(deployment: dict[str, Any]) -> bool:
    """Return whether all pods of a Deployment are of its newest version and available."""
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    counts = [status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas")]
    return status.get("observedGeneration", 0) >= deployment["metadata"]["generation"] and set(counts) == {wanted}


def stop_without(cluster: Cluster) -> None:
    """Exit with a message if kubectl or the cluster is missing."""
    if missing := cluster.what_is_missing():
        sys.exit(missing)
