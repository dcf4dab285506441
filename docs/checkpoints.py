"""Check the result of a chapter's step: `make checkpoint STEP=2.3`.

A checkpoint sends HTTP requests to the course's ports, so a learner may write the services in any language.
The checkpoints of chapter 4 also use kubectl, and those of step 1.2 open the monolith's database.
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

from infra import parts

POSTS, COMMENTS, QUERY, MODERATION, BUS, PAGE = map(
    parts.url, ("posts", "comments", "query", "moderation", "event-bus", "client")
)
MONOLITH = "http://127.0.0.1:8000"

# One check: a sentence, whether the sentence is true, and the advice if it is false.
Check = tuple[str, bool, str]
CHECKPOINTS: dict[str, Callable[[], Iterator[Check]]] = {}


def checkpoint(step: str) -> Callable[[Callable[[], Iterator[Check]]], Callable[[], Iterator[Check]]]:
    """Register the decorated function as the checkpoint of this step."""

    def register(checks: Callable[[], Iterator[Check]]) -> Callable[[], Iterator[Check]]:
        CHECKPOINTS[step] = checks
        return checks

    return register


def get(url: str) -> Any:
    """Return the JSON or the text at this URL; None without a successful response."""
    try:
        answer = request("GET", url, timeout=5)
    except requests.RequestException:
        return None
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return (answer.json() if is_json else answer.text) if answer.ok else None


def is_there(url: str) -> bool:
    """Return whether a server responds at this URL, even with an error."""
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
def the_monolith() -> Iterator[Check]:
    rows = get(f"{MONOLITH}/posts") or []
    judged = {row["status"] for row in rows}
    yield "the monolith responds", bool(rows), "start the monolith: python mine/monolith.py"
    yield "one response has posts, comments and verdicts", "rejected" in judged, "write a comment with an orange in it"


@checkpoint("1.2")
def the_owner_of_data() -> Iterator[Check]:
    rows = get(f"{MONOLITH}/posts") or []
    columns = [row[1] for row in sqlite3.connect("data/monolith.db").execute("PRAGMA table_info(comments)")]
    yield "the table has a new column name", "verdict" in columns, "rename the column: python mine/rename.py"
    yield (
        "the response has the old field name",
        any(row.get("status") for row in rows),
        "restart the program with the new SQL",
    )


@checkpoint("1.3")
def the_web_of_requests() -> Iterator[Check]:
    yield "posts responds", bool(get(f"{POSTS}/posts")), "start posts, and write a post"
    yield "comments is down", not is_there(COMMENTS), "stop comments: press Ctrl-C in its terminal"
    yield (
        "the page needs both, so it fails",
        is_there(PAGE) and get(PAGE) is None,
        "start the page: python mine/asking_page.py",
    )


@checkpoint("1.4")
def a_read_side_of_its_own() -> Iterator[Check]:
    yield "the page responds", get(PAGE) is not None, "start the blog: make up"
    yield "query shows two comments", len(statuses()) > 1, "write the comments of this step"
    yield "both comments are approved", {*statuses()} == {"approved"}, "start moderation and comments"


def titles(posts: Any) -> list[str]:
    """Return the titles of a service's posts."""
    return [post["title"] for post in (posts or {}).values()]


def history() -> list[Any]:
    """Return all events that the bus keeps; none if the bus has no list."""
    events = get(f"{BUS}/events")
    return events if isinstance(events, list) else []


def subscribers() -> dict[str, Any]:
    """Return the bus's subscribers, by their names."""
    return get(f"{BUS}/subscribers") or {}


@checkpoint("2.1")
def a_page_that_asks() -> Iterator[Check]:
    page = get(PAGE) or ""
    count = len(get(f"{POSTS}/posts") or {})
    yield "the page responds", bool(page), "start posts, comments and the page"
    yield "there are 100 posts", count == 100, f"found {count}; write the rest, or restart posts and write 100"
    yield "the page makes 2 requests, not 101", "(2 requests)" in page, "change the page, and restart it"


@checkpoint("2.2")
def the_bus_by_hand() -> Iterator[Check]:
    there = titles(get(f"{POSTS}/posts"))
    yield (
        "your own bus runs on port 4005",
        is_there(BUS) and get(f"{BUS}/healthz") is None,
        "stop our event-bus, and start yours",
    )
    yield "posts has published two posts", len(there) > 1, "write the posts of this step"
    yield "query shows every post", titles(get(f"{QUERY}/posts")) == there, "does your bus deliver to port 4002?"


@checkpoint("2.3")
def the_read_side() -> Iterator[Check]:
    posts = get(f"{POSTS}/posts") or {}
    same = all(get(f"{COMMENTS}/posts/{post['id']}/comments") == post["comments"] for post in shown())
    yield "the blog has more than 20 posts", len(posts) > 20, "write the demo posts: make demo"
    yield (
        "query shows every post that posts has",
        titles(posts) == titles(get(f"{QUERY}/posts")),
        "look at: make status",
    )
    yield "query shows every comment as comments has it", same, "look at: make status"


@checkpoint("2.4")
def four_events() -> Iterator[Check]:
    chains: dict[str, list[str]] = {}
    for event in history():
        if event["type"].startswith("Comment"):
            chains.setdefault(event["data"]["id"], []).append(event["type"])
    whole = {tuple(chain) for chain in chains.values()} == {("CommentCreated", "CommentModerated", "CommentUpdated")}
    yield "the log has three comments", len(chains) == 3, "write the comments of this step"
    yield "each comment has CommentCreated, CommentModerated, CommentUpdated", whole, "look at: make status"


@checkpoint("2.5")
def a_bus_that_remembers() -> Iterator[Check]:
    kept = [event["data"]["title"] for event in history() if event["type"] == "PostCreated"]
    yield (
        "your own bus runs on port 4005",
        is_there(BUS) and get(f"{BUS}/healthz") is None,
        "stop our event-bus, and start yours",
    )
    yield "your bus keeps its events", len(kept) > 1, "write the posts of this step"
    same = titles(get(f"{QUERY}/posts")) == kept
    yield "query shows every post that your bus keeps", same, "run: make restart SERVICE=query"


@checkpoint("2.6")
def the_store_and_the_replay() -> Iterator[Check]:
    head = len(history())
    positions = [one["position"] for one in subscribers().values() if one["state"] == "live"]
    of_query = (get(f"{QUERY}/state") or {}).get("state")
    of_log = (get(f"{BUS}/subscribers/query/state?at={head}") or {}).get("state")
    yield "the log has eight events", head == 8, f"found {head}; run make reset, and repeat the step"
    yield "all four services are live at position 8", positions == [head] * 4, "run: minibus resume"
    yield "the state of query equals the fold of the log", of_query == of_log, "run: make start SERVICE=query"


@checkpoint("3.1")
def one_container() -> Iterator[Check]:
    yield "posts responds", get(f"{POSTS}/posts") is not None, "start its container; does posts listen on 0.0.0.0?"
    waits = is_there(POSTS) and get(f"{POSTS}/readyz") is None
    yield "posts is not ready, because it has no bus", waits, "look at: docker logs posts"


@checkpoint("3.2")
def containers_by_name() -> Iterator[Check]:
    posts = subscribers().get("posts", {})
    by_name = posts.get("url") == "http://posts:4000" and posts.get("state") == "live"
    yield "posts is registered at the bus by its name", by_name, "look at: minibus subscribers"
    yield "the log has a post", bool(get(f"{BUS}/events")), "write a post"


@checkpoint("3.3")
def what_outlives_a_container() -> Iterator[Check]:
    log = get(f"{BUS}/events") or []
    yield "the log has an event", bool(log), "start the bus with its volume, then write a post"
    titles = {event["data"]["title"] for event in log if event["type"] == "PostCreated"}
    shown = {post["title"] for post in (get(f"{POSTS}/posts") or {}).values()}
    yield "posts shows the posts of the log", titles == shown, "look at: minibus subscribers"


@checkpoint("3.4")
def all_six() -> Iterator[Check]:
    yield "the page responds", get(PAGE) is not None, "look at: docker compose ps"
    live = [name for name, one in subscribers().items() if one["state"] == "live" and not one["lag"]]
    yield "four services have caught up", len(live) == 4, "look at: minibus subscribers"
    yield "the log still has its events", bool(get(f"{BUS}/events")), "run make demo, then docker compose down, then up"


def cluster(kind: str) -> dict[str, Any]:
    """Return the objects of this kind, by their names, from kubectl's current cluster."""
    listed = subprocess.run(["kubectl", "get", kind, "--output=json"], capture_output=True, check=False)
    items = json.loads(listed.stdout)["items"] if listed.returncode == 0 else []
    return {item["metadata"]["name"]: item for item in items}


def ready(*parts: str) -> bool:
    """Return whether each of these parts has a ready Pod in the cluster."""
    deployments = cluster("deployments")
    return all(deployments.get(f"{part}-depl", {}).get("status", {}).get("readyReplicas") for part in parts)


@checkpoint("4.1")
def a_deployment() -> Iterator[Check]:
    yield "posts is ready", ready("posts"), "look at: kubectl get pods"
    claim = cluster("persistentvolumeclaims").get("event-bus-data", {})
    has_volume = claim.get("status", {}).get("phase") == "Bound"
    yield "the event bus is ready, with its volume", ready("event-bus") and has_volume, "look at: kubectl get pods,pvc"


@checkpoint("4.2")
def a_service() -> Iterator[Check]:
    behind = cluster("endpoints").get("posts-srv", {}).get("subsets") or [{}]
    ports = [port["port"] for port in behind[0].get("ports", [])]
    yield "posts-srv has the address of a Pod", bool(behind[0].get("addresses")), "does its selector match a Pod?"
    yield "posts-srv forwards to port 4000", ports == [4000], "look at: kubectl describe service posts-srv"


@checkpoint("4.3")
def the_whole_blog() -> Iterator[Check]:
    parts = ("posts", "comments", "query", "moderation", "event-bus", "client")
    yield "all six parts are ready", ready(*parts), "look at: kubectl get pods"
    lags = [one["lag"] for one in subscribers().values() if one["state"] != "down"]
    yield "every subscribed Pod has applied the whole log", len(lags) == 5 and not any(lags), "does make forward run?"


@checkpoint("4.4")
def an_ingress() -> Iterator[Check]:
    [rule] = cluster("ingresses").get("ingress-srv", {}).get("spec", {}).get("rules") or [{}]
    yield "the Ingress has the host posts.com", rule.get("host") == "posts.com", "look at: kubectl get ingress"
    paths = rule.get("http", {}).get("paths", [])
    services = {path["backend"]["service"]["name"] for path in paths}
    yield "the Ingress forwards to four Services", len(services) == 4, "look at: kubectl describe ingress ingress-srv"


@checkpoint("4.5")
def a_change() -> Iterator[Check]:
    notes = cluster("deployments").get("moderation-depl", {}).get("metadata", {}).get("annotations", {})
    revision = int(notes.get("deployment.kubernetes.io/revision", 0))
    yield "moderation was restarted", revision > 1, "run: kubectl rollout restart deployment/moderation-depl"
    live = {name: one["lag"] for name, one in subscribers().items() if one["state"] == "live"}
    lags = [lag for name, lag in live.items() if name.startswith("moderation-")]
    yield "the new Pod has applied the whole log", lags == [0], "does make forward run?"


def main(step: str = "") -> int:
    """Run the checks of a step and print a line for each; return 0 if all pass, 1 or 2 otherwise."""
    if step not in CHECKPOINTS:
        print(f"Unknown step: {step or 'none given'}. Run make checkpoint STEP=… with one of {', '.join(CHECKPOINTS)}.")
        return 2
    checks = list(CHECKPOINTS[step]())
    for sentence, passed, advice in checks:
        print(f"✓ {sentence}" if passed else f"✗ Not yet: {sentence}. {advice[0].upper()}{advice[1:]}")
    if not all(passed for _, passed, _ in checks):
        return 1
    print(f"Step {step} is complete.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
