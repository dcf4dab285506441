"""The blog's story in the cluster that kubectl points at, in a namespace of its own: `make test-k8s`."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests
import yaml
from minibus.bus import session

from infra.cluster.cluster import Cluster, ClusterError, stop_without
from infra.cluster.forward import FORWARDED, Forward
from infra.cluster.manifests import MANIFESTS, built_images, read
from infra.parts import PORTS, SERVICES

NAMESPACE = "minibus-test"
PATIENCE = 120  # seconds: a cluster that shares its processors takes its time

T = TypeVar("T")


def until(what: str, condition: Callable[[], T]) -> T:
    """Wait until the condition returns something true, and return that. A failed request or look-up counts as false."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if found := condition():
                return found
            last: Any = found
        except (requests.RequestException, LookupError, ValueError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {PATIENCE} s; the last answer was {last!r}")
        time.sleep(0.1)


class Trial:
    """The steps of the test, in order. The docstring of a step is the line that it prints."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.forwards: dict[str, Forward] = {}

    # -- the steps --------------------------------------------------------------------------------------------------

    def deploy(self) -> None:
        """Deployed, and every pod is ready"""
        self.cluster.kubectl("apply", "--filename=-", given=yaml.safe_dump_all(manifests()))
        self.cluster.await_ready(PATIENCE, verbose=False)
        self.forwards = {part: Forward(self.cluster, part, verbose=False) for part in FORWARDED}

    def write(self) -> None:
        """A post and two comments are written, judged, and on the page"""
        post = self.write_post("From the cluster")
        for content in ("a plain one", "an Orange one"):
            self.ask("POST", "comments", f"/posts/{post}/comments", json={"content": content})
        wanted = {"a plain one": "approved", "an Orange one": "rejected"}
        until("both comments judged", lambda: self.page().get("From the cluster") == wanted)
        page = until("the page", lambda: session.request("GET", self.url("client"), timeout=10).text)
        assert "From the cluster" in page, "the page does not show the post"

    def delete_the_query_pod(self) -> None:
        """The query pod is deleted; the next one is replayed, with the same page"""
        before, [old] = self.page(), self.subscribers("query")
        self.delete_pods("query")
        until("another query, caught up", lambda: self.caught_up("query") and old not in self.live("query"))
        until("the same page", lambda: self.page() == before)

    def delete_the_bus_pod(self) -> None:
        """The bus pod is deleted; the next one has the same log and services"""
        before = self.log()
        self.delete_pods("event-bus")
        until("the same log", lambda: self.log() == before)
        until("all services live", lambda: all(self.caught_up(name) for name in SERVICES))
        self.write_post("After the bus came back")
        until("the new post", lambda: "After the bus came back" in self.page())

    def write_while_moderation_is_away(self) -> None:
        """A comment written while moderation is away is judged afterwards"""
        self.scale("moderation", 0)
        until("moderation gone", lambda: not self.pods("moderation"))
        post = self.write_post("Unjudged")
        self.ask("POST", "comments", f"/posts/{post}/comments", json={"content": "patient"})
        until("a pending comment", lambda: self.page()["Unjudged"] == {"patient": "pending"})
        self.scale("moderation", 1)
        until("a judged comment", lambda: self.page()["Unjudged"] == {"patient": "approved"})

    def roll_out(self) -> None:
        """All six Deployments are restarted; nothing is lost"""
        before, log = self.page(), self.log()
        for part in PORTS:
            self.cluster.kubectl("rollout", "restart", f"deployment/{part}-depl")
        self.cluster.await_ready(PATIENCE, verbose=False)
        until("the same page and log", lambda: (self.page(), self.log()) == (before, log))

    def scale_query_to_two(self) -> None:
        """Two query pods are replayed side by side, with equal states"""
        self.scale("query", 2)
        self.cluster.await_ready(PATIENCE, verbose=False)
        first, second = until("two query pods, live", lambda: pair(self.live("query")))
        self.write_post("For two")
        until("both caught up", lambda: self.caught_up("query"))
        states = [self.ask("GET", "event-bus", f"/subscribers/{name}/state")["state"] for name in (first, second)]
        assert states[0] == states[1], "the states of the two query pods differ"
        assert "For two" in [post["title"] for post in states[0].values()], "the query pods miss a post"

    def undeploy(self) -> None:
        """The blog is deleted, and no object of it is left"""
        self.stop_forwarding()
        self.cluster.kubectl("delete", "--filename=-", "--wait", given=yaml.safe_dump_all(manifests()))
        kinds = "deployments,replicasets,pods,services,endpoints,ingresses,networkpolicies,persistentvolumeclaims"
        until("nothing left", lambda: not self.cluster.get(kinds))

    # -- helpers of the steps ---------------------------------------------------------------------------------------

    def url(self, part: str) -> str:
        """Return the URL at which this part can be reached now. Raises `LookupError`."""
        if not self.forwards[part].url:
            raise LookupError(f"{part} cannot be reached yet: {self.forwards[part].said}")
        return self.forwards[part].url

    def ask(self, method: str, part: str, path: str, **request: Any) -> Any:
        """Send a request to a part until it succeeds; return the JSON of the answer. A failed write is sent again."""

        def answer() -> Any:
            response = session.request(method, self.url(part) + path, timeout=10, **request)
            response.raise_for_status()
            return response.json() or {}

        return until(f"{method} {path} of {part}", lambda: [answer()])[0]

    def write_post(self, title: str) -> str:
        """Write a post; return its id."""
        return self.ask("POST", "posts", "/posts/create", json={"title": title})["id"]

    def page(self) -> dict[str, dict[str, str]]:
        """Return what query shows: title → comment → status."""
        posts = self.ask("GET", "query", "/posts").values()
        return {post["title"]: {c["content"]: c["status"] for c in post["comments"]} for post in posts}

    def log(self) -> list[str]:
        """Return the ids of all events."""
        return [event["id"] for event in self.ask("GET", "event-bus", "/events")]

    def subscribers(self, service: str) -> dict[str, Any]:
        """Return the subscribers at the bus that are pods of this service: name → description."""
        known = self.ask("GET", "event-bus", "/subscribers")
        return {name: one for name, one in known.items() if name.startswith(f"{service}-")}

    def live(self, service: str) -> list[str]:
        """Return the names of a service's pods that are live."""
        return [name for name, one in self.subscribers(service).items() if one["state"] == "live"]

    def caught_up(self, service: str) -> bool:
        """Return whether a pod of this service is live, and every live pod has applied the whole log."""
        lags = [one["lag"] for one in self.subscribers(service).values() if one["state"] == "live"]
        return lags != [] and not any(lags)

    def pods(self, part: str) -> list[Any]:
        """Return the pods of a part."""
        return self.cluster.get("pods", f"--selector=app={part}")

    def delete_pods(self, part: str) -> None:
        """Delete the pods of a part."""
        self.cluster.kubectl("delete", "pods", f"--selector=app={part}", "--wait")

    def scale(self, part: str, count: int) -> None:
        """Set the number of a part's pods."""
        self.cluster.kubectl("scale", f"deployment/{part}-depl", f"--replicas={count}")

    def stop_forwarding(self) -> None:
        """End every port-forward."""
        for forward in self.forwards.values():
            forward.stop()


STEPS = (
    *(Trial.deploy, Trial.write, Trial.delete_the_query_pod, Trial.delete_the_bus_pod),
    *(Trial.write_while_moderation_is_away, Trial.roll_out, Trial.scale_query_to_two, Trial.undeploy),
)


def manifests() -> list[dict[str, Any]]:
    """Return our manifests without what two blogs in one cluster cannot share: the NodePort and the Ingress host."""
    bodies = [manifest.body for manifest in read(MANIFESTS)]
    for body in bodies:
        for port in body["spec"].get("ports", []) if body["kind"] == "Service" else []:
            port.pop("nodePort", None)
        for rule in body["spec"]["rules"] if body["kind"] == "Ingress" else []:
            rule["host"] = f"{NAMESPACE}.{rule['host']}"
    return bodies


def pair(names: list[str]) -> list[str]:
    """Return the names if there are exactly two, or an empty list."""
    return names if len(names) == 2 else []


def make_namespace(cluster: Cluster) -> None:
    """Recreate the namespace. From Kubernetes 1.23 on it accepts only pods of the restricted security standard."""
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
    cluster.kubectl("apply", "--filename=-", given=json.dumps(body))


def main() -> int:
    """Run the steps; return the exit status."""
    cluster = Cluster(namespace=NAMESPACE)
    stop_without(cluster)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"Testing the blog on {cluster.name()}", flush=True)
    trial, begun = Trial(cluster), time.monotonic()
    try:
        for warning in cluster.warnings(list(built_images())):
            print(f"\n{warning}\n", flush=True)
        make_namespace(cluster)
        for step in STEPS:
            started = time.monotonic()
            step(trial)
            print(f"  ✓ {step.__doc__:<70}{time.monotonic() - started:4.0f} s", flush=True)
    except (ClusterError, AssertionError) as error:
        print(f"  ✗ {step.__doc__}\n\n{error}")
        print("\n".join(cluster.troubles()))
        return 1
    finally:
        trial.stop_forwarding()
        cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")
    print(f"Every step passed, after {time.monotonic() - begun:.0f} s; the namespace is gone.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
