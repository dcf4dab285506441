"""The blog with a seventh part: the service that the reader of docs/adding-a-service.md writes."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from harness.ports import free_port
from infra.parts import ROOT
from tests.support.system import Blog

PAGE = ROOT / "docs" / "adding-a-service.md"
FILES = dict(re.findall(r"^```\w+ to=(\S+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL))
SERVICE = FILES["blog/notifications/notifications.py"]


class WithNotifications(Blog):
    """The blog's own six, and notifications as the page has it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.ports["notifications"] = free_port()
        (folder / "notifications.py").write_text(SERVICE)

    def command(self, name: str) -> list[str]:
        """Return what starts this part."""
        if name != "notifications":
            return super().command(name)
        settings = ["-c", "blog/common/gunicorn.conf.py", "--pythonpath", str(self.folder)]
        return [sys.executable, "-m", "gunicorn", *settings, "notifications:app"]

    def write_about_tea(self) -> None:
        """Publish the events of the page."""
        self.publish("PostCreated", {"id": "7ea7ea7e", "title": "Tea"})
        comment = {"id": "c0ffee01", "postId": "7ea7ea7e", "content": "Earl Grey, please", "status": "pending"}
        self.publish("CommentCreated", comment)

    def publish(self, event_type: str, data: dict[str, str]) -> None:
        """Publish an event, as any client can."""
        source = "/comments" if event_type.startswith("Comment") else "/posts"
        assert self.send("event-bus", "/events", {"type": event_type, "source": source, "data": data}).ok
