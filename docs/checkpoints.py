"""Look at what a step of a chapter has built, over HTTP, in chapter 4 by kubectl, too: `make checkpoint STEP=2.3`.

A checkpoint asks the ports of the course, so it does not matter in which language a learner has written what is there.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import requests
from minibus.bus.session import request

POSTS, COMMENTS, QUERY, MODERATION, BUS, PAGE = (
    f"http://127.0.0.1:{port}" for port in (4000, 4001, 4002, 4003, 4005, 3000)
)
MONOLITH = "http://127.0.0.1:8000"

# What is looked at: a sentence that is true or not, and what to do where it is not.
Look = tuple[str, bool, str]
CHECKPOINTS: dict[str, Callable[[], Iterator[Look]]] = {}


def checkpoint(step: str) -> Callable[[Callable[[], Iterator[Look]]], Callable[[], Iterator[Look]]]:
    """Make the function below the checkpoint of this step."""

    def register(look: Callable[[], Iterator[Look]]) -> Callable[[], Iterator[Look]]:
        CHECKPOINTS[step] = look
        return look

    return register


def get(url: str) -> Any:
    """Return the JSON at this address, or its text; None where nobody answers well."""
    try:
        answer = request("GET", url, timeout=5)
    except requests.RequestException:
        return None
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return (answer.json() if is_json else answer.text) if answer.ok else None


def is_there(url: str) -> bool:
    """Say whether anything answers at this address, and be it an error."""
    try:
        request("GET", url, timeout=5)
    except requests.RequestException:
        return False
    return True


def shown() -> list[dict[str, Any]]:
    """Return all posts with their comments, as query shows them."""
    return list((get(f"{QUERY}/posts") or {}).values())


def statuses() -> list[str]:
    """Return the status of every comment that query shows."""
    return [comment["status"] for post in shown() for comment in post["comments"]]


@checkpoint("1.1")
def the_monolith() -> Iterator[Look]:
    rows = get(f"{MONOLITH}/posts") or []
    judged = {row["status"] for row in rows}
    yield "the monolith answers", bool(rows), "start it: python mine/monolith.py"
    yield "one answer has posts, comments and verdicts", "rejected" in judged, "write a comment with an orange in it"


@checkpoint("1.2")
def the_owner_of_data() -> Iterator[Look]:
    rows = get(f"{MONOLITH}/posts") or []
    columns = [row[1] for row in sqlite3.connect("data/monolith.db").execute("PRAGMA table_info(comments)")]
    yield "the table has changed", "verdict" in columns, "rename the column: python mine/rename.py"
    yield "the answer has not", any(row.get("status") for row in rows), "change the program, and start it again"


@checkpoint("1.3")
def the_web_of_requests() -> Iterator[Look]:
    yield "posts is well", bool(get(f"{POSTS}/posts")), "start it, and write a post"
    yield "comments is dead", not is_there(COMMENTS), "end it: Ctrl-C in its terminal"
    yield (
        "the page asks both, and so it is dead, too",
        is_there(PAGE) and get(PAGE) is None,
        "start mine/asking_page.py",
    )


@checkpoint("1.4")
def telling() -> Iterator[Look]:
    yield "the page is there", get(PAGE) is not None, "start the blog: make up"
    yield "query shows two comments", len(statuses()) > 1, "write the comments of this step"
    yield "all of them are judged", {*statuses()} == {"approved"}, "start moderation and comments again"


def titles(posts: Any) -> list[str]:
    """Return the titles of a service's posts."""
    return [post["title"] for post in (posts or {}).values()]


def history() -> list[Any]:
    """Return all events, as far as the bus keeps any."""
    events = get(f"{BUS}/events")
    return events if isinstance(events, list) else []


@checkpoint("2.1")
def a_page_that_asks() -> Iterator[Look]:
    page = get(PAGE) or ""
    count = len(get(f"{POSTS}/posts") or {})
    yield "the page is there", bool(page), "start all three"
    yield "there are 100 posts", count == 100, f"there are {count}; write more"
    yield "the page asks twice, and not 101 times", "(2 requests)" in page, "change the page, and start it again"


@checkpoint("2.2")
def the_bus_by_hand() -> Iterator[Look]:
    there = titles(get(f"{POSTS}/posts"))
    yield (
        "a bus made by hand is at 4005",
        is_there(BUS) and get(f"{BUS}/healthz") is None,
        "put yours in our bus's place",
    )
    yield "posts has published", len(there) > 1, "write the posts of this step"
    yield "query has heard of each", titles(get(f"{QUERY}/posts")) == there, "is the bus telling 4002?"


@checkpoint("2.3")
def the_read_side() -> Iterator[Look]:
    posts = get(f"{POSTS}/posts") or {}
    same = all(get(f"{COMMENTS}/posts/{post['id']}/comments") == post["comments"] for post in shown())
    yield "there is a blog to read", len(posts) > 20, "fill it: make demo"
    yield "query shows every post that posts has", titles(posts) == titles(get(f"{QUERY}/posts")), "is query running?"
    yield "query shows every comment as comments has it", same, "is query running? See: make status"


@checkpoint("2.4")
def four_events() -> Iterator[Look]:
    chains: dict[str, list[str]] = {}
    for event in history():
        if event["type"].startswith("Comment"):
            chains.setdefault(event["data"]["id"], []).append(event["type"])
    whole = {tuple(chain) for chain in chains.values()} == {("CommentCreated", "CommentModerated", "CommentUpdated")}
    yield "there are three comments in the log", len(chains) == 3, "write the comments of this step"
    yield "each was created, judged and updated, in this order", whole, "is everybody running? See: make status"


@checkpoint("2.5")
def a_bus_that_remembers() -> Iterator[Look]:
    kept = [event["data"]["title"] for event in history() if event["type"] == "PostCreated"]
    yield (
        "a bus made by hand is at 4005",
        is_there(BUS) and get(f"{BUS}/healthz") is None,
        "put yours in our bus's place",
    )
    yield "it remembers what it was told", len(kept) > 1, "write the posts of this step"
    yield "query has been told all of it", titles(get(f"{QUERY}/posts")) == kept, "start query again"


@checkpoint("2.6")
def the_store_and_the_replay() -> Iterator[Look]:
    subscribers = get(f"{BUS}/subscribers") or {}
    head = len(history())
    places = {one["position"] for one in subscribers.values() if one["state"] == "live"}
    then = (get(f"{BUS}/subscribers/query/state?at={head}") or {}).get("state")
    yield "the log has eight events", head == 8, f"it has {head}; begin again with an empty one"
    yield "everybody is live, and stands at its end", places == {head} and len(subscribers) == 4, "minibus resume"
    yield "what query holds is what the log gives", then == (get(f"{QUERY}/state") or {}).get("state"), "start query"


def standing() -> dict[str, Any]:
    """Return how the bus sees its subscribers."""
    return get(f"{BUS}/subscribers") or {}


@checkpoint("3.1")
def one_container() -> Iterator[Look]:
    yield "posts answers", get(f"{POSTS}/posts") is not None, "start its container; does it listen at 0.0.0.0?"
    waits = is_there(POSTS) and get(f"{POSTS}/readyz") is None
    yield "it has no bus yet, and says so", waits, "look at: docker logs posts"


@checkpoint("3.2")
def containers_by_name() -> Iterator[Look]:
    posts = standing().get("posts", {})
    by_name = posts.get("url") == "http://posts:4000" and posts.get("state") == "live"
    yield "posts is registered at the bus by its name", by_name, "look at: minibus subscribers"
    yield "a post was stored", bool(get(f"{BUS}/events")), "write one"


@checkpoint("3.3")
def what_outlives_a_container() -> Iterator[Look]:
    log = get(f"{BUS}/events") or []
    yield "the log has an event", bool(log), "write a post, once the bus has its volume"
    titles = {event["data"]["title"] for event in log if event["type"] == "PostCreated"}
    shown = {post["title"] for post in (get(f"{POSTS}/posts") or {}).values()}
    yield "posts shows what is in the log", titles == shown, "look at: minibus subscribers"


@checkpoint("3.4")
def all_six() -> Iterator[Look]:
    yield "the page is there", get(PAGE) is not None, "look at: docker compose ps"
    live = [name for name, one in standing().items() if one["state"] == "live" and not one["lag"]]
    yield "four services have caught up", len(live) == 4, "look at: minibus subscribers"
    yield "the log has outlived its containers", bool(get(f"{BUS}/events")), "fill it (make demo), then down and up"


def cluster(kind: str) -> dict[str, Any]:
    """Return the objects of this kind in the cluster that kubectl points at, by their names."""
    asked = subprocess.run(["kubectl", "get", kind, "--output=json"], capture_output=True, check=False)
    items = json.loads(asked.stdout)["items"] if asked.returncode == 0 else []
    return {item["metadata"]["name"]: item for item in items}


def ready(*parts: str) -> bool:
    """Say whether these parts are in the cluster, and may be asked something."""
    deployments = cluster("deployments")
    return all(deployments.get(f"{part}-depl", {}).get("status", {}).get("readyReplicas") for part in parts)


@checkpoint("4.1")
def a_deployment() -> Iterator[Look]:
    yield "posts is ready", ready("posts"), "look at: kubectl get pods"
    claim = cluster("persistentvolumeclaims").get("event-bus-data", {})
    has_volume = claim.get("status", {}).get("phase") == "Bound"
    yield "the event bus is ready, with its volume", ready("event-bus") and has_volume, "look at: kubectl get pods,pvc"


@checkpoint("4.2")
def a_service() -> Iterator[Look]:
    behind = cluster("endpoints").get("posts-srv", {}).get("subsets") or [{}]
    ports = [port["port"] for port in behind[0].get("ports", [])]
    yield "posts-srv leads to a Pod", bool(behind[0].get("addresses")), "is its selector a label of that Pod?"
    yield "at the port where posts listens", ports == [4000], "look at: kubectl describe service posts-srv"


@checkpoint("4.3")
def the_whole_blog() -> Iterator[Look]:
    parts = ("posts", "comments", "query", "moderation", "event-bus", "client")
    yield "all six are ready", ready(*parts), "look at: kubectl get pods"
    lags = [one["lag"] for one in standing().values() if one["state"] != "down"]
    yield "every Pod that listens has the whole log", len(lags) == 5 and not any(lags), "is make forward running?"


@checkpoint("4.4")
def an_ingress() -> Iterator[Look]:
    [rule] = cluster("ingresses").get("ingress-srv", {}).get("spec", {}).get("rules") or [{}]
    yield "the Ingress has one host, posts.com", rule.get("host") == "posts.com", "look at: kubectl get ingress"
    paths = rule.get("http", {}).get("paths", [])
    services = {path["backend"]["service"]["name"] for path in paths}
    yield "it leads to four Services", len(services) == 4, "look at: kubectl describe ingress ingress-srv"


@checkpoint("4.5")
def a_change() -> Iterator[Look]:
    notes = cluster("deployments").get("moderation-depl", {}).get("metadata", {}).get("annotations", {})
    revision = int(notes.get("deployment.kubernetes.io/revision", 0))
    yield "moderation was started anew", revision > 1, "kubectl rollout restart deployment/moderation-depl"
    lags = [one["lag"] for name, one in standing().items() if name.startswith("moderation-") and one["state"] == "live"]
    yield "its new Pod has the whole log", lags == [0], "is make forward running?"


def main(step: str = "") -> int:
    """Print a line for each thing looked at; return 0 when all is well."""
    if step not in CHECKPOINTS:
        print(f"Name one of the steps: make checkpoint STEP={next(iter(CHECKPOINTS))}, {', '.join(CHECKPOINTS)}")
        return 2
    looks = list(CHECKPOINTS[step]())
    for sentence, is_so, otherwise in looks:
        print(f"✓ {sentence}" if is_so else f"✗ {sentence}: no. {otherwise[0].upper()}{otherwise[1:]}")
    if not all(is_so for _, is_so, _ in looks):
        return 1
    print(f"Step {step} stands.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
