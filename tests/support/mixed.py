"""A blog of parts from both sides: ours, and Express services of the course's shape (bench/peers), on either bus."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import requests

from harness.course.parts import PEERS, is_installed
from harness.waiting import PATIENCE, eventually
from infra.parts import SERVICES
from tests.support.machine import in_ci
from tests.support.system import Blog

OURS = (*SERVICES, "event-bus")  # the page has no part in this
STORY = {"fine": "approved", "an orange": "rejected"}
ONE_STORY = {"PostCreated": 1, "CommentCreated": 2, "CommentModerated": 2, "CommentUpdated": 2}


def install_express() -> None:
    """Install the packages of the Express services, if they are missing."""
    if not (shutil.which("node") and shutil.which("npm")):
        in_ci("the course's services run on Express, which needs node and npm")
    with (PEERS / "package.json").open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not is_installed():
            subprocess.run(["npm", "ci", "--omit=dev"], cwd=PEERS, check=True, timeout=4 * PATIENCE)


class MixedBlog(Blog):
    """A blog in which the parts named in `express` are the course's; the page is left out."""

    def __init__(self, folder: Path, *express: str, **settings: str) -> None:
        super().__init__(folder, **settings)
        self.express = set(express)
        if "event-bus" in express:
            self.settings["SUBSCRIBERS"] = ",".join(self.url(name) for name in SERVICES)
            # Otherwise a verdict may overtake its comment, and a bus without numbers cannot repair that.
            self.settings["SOCKETS"] = "1"

    def start_with_listed(self, *names: str) -> MixedBlog:
        """Start everything; our bus sends to these in the course's way, until they register."""
        self.settings["SUBSCRIBERS"] = ",".join(f"{name}={self.url(name)}" for name in names)
        self.start(*OURS)
        return self

    def command(self, name: str) -> list[str]:
        """Return what starts this part."""
        return ["node", str(PEERS / f"{name}.js")] if name in self.express else super().command(name)

    def answers(self, name: str, path: str) -> bool:
        """Tell whether this path of a part answers without an error; of the course's parts any answer counts."""
        if name not in self.express:
            return super().answers(name, path)
        return requests.get(self.url(name) + path, timeout=PATIENCE).status_code > 0

    def start_express(self, name: str) -> None:
        """Start the course's kind of this part at its address."""
        self.express.add(name)
        self.start(name)

    def start_ours(self, name: str) -> None:
        """Start our kind of this part at its address."""
        self.express.remove(name)
        self.start(name)

    def replace(self, *express: str) -> None:
        """Replace services until exactly these are the course's, each at its address."""
        for name in set(SERVICES) & (self.express ^ set(express)):
            self.stop(name)
            (self.start_express if name in express else self.start_ours)(name)
        self.ready()

    def restart(self, *names: str) -> None:
        """Stop these parts and start them again, all at once; wait until each has caught up."""
        for name in names:
            self.stop(name)
        self.start(*names).ready()

    def mode(self, name: str) -> str:
        """Return how the bus sends to this subscriber."""
        return self.get("event-bus", f"/subscribers/{name}")["mode"]

    def write_the_story(self, title: str) -> str:
        """Write a post with two comments; return its id."""
        post = self.write_post(title)
        if self.settings.get("EVENT_STORE") == "none":
            # Such a bus cannot be asked, so comments knows no post that has not come to it yet.
            eventually(lambda: post in self.get("comments", "/state")["state"])
        for comment in STORY:
            self.write_comment(post, comment)
        return post

    def titles(self) -> list[str]:
        """Return the titles that query shows, sorted."""
        return sorted(post["title"] for post in self.get("query", "/posts").values())

    def shows(self, title: str) -> bool:
        """Tell whether query shows the story under this title: both comments, once each, judged."""
        [post] = [post for post in self.get("query", "/posts").values() if post["title"] == title] or [{"comments": []}]
        return [(comment["content"], comment["status"]) for comment in post["comments"]] == [*STORY.items()]

    def has_judged(self, post: str) -> bool:
        """Tell whether comments has judged every comment on this post."""
        comments = self.get("comments", f"/posts/{post}/comments")
        return [comment["status"] for comment in comments] == [*STORY.values()]

    def last_verdict(self, post: str) -> str:
        """Return the status of the newest comment on this post."""
        return self.get("comments", f"/posts/{post}/comments")[-1]["status"]

    def counts(self) -> Counter[str]:
        """Count the events in the log by their type."""
        return Counter(event["type"] for event in self.events() if "type" in event)
