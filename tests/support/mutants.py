"""Services with one small mistake each, of the kinds that learners make, and the rule that has to catch it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.course.parts import PEERS
from infra.parts import ROOT


@dataclass(frozen=True)
class Mutant:
    """A service in which `old` is `new`: the Express one, tried on the course; or ours, tried on what is solid."""

    mistake: str
    role: str
    file: str
    old: str
    new: str
    rule: str

    @property
    def level(self) -> str:
        """Return the level on which the service has no other mistake."""
        return "solid" if self.file.endswith(".py") else "course"

    def write(self, folder: Path) -> None:
        """Put the service into a folder, with the mistake in it."""
        source = ROOT / "blog" / self.role if self.file.endswith(".py") else PEERS
        for kind in ("*.py", "*.js", "*.html"):
            for path in source.glob(kind):
                shutil.copy(path, folder)
        text = (folder / self.file).read_text()
        assert text.count(self.old) == 1, f"{self.file} has {self.old!r} {text.count(self.old)} times"
        (folder / self.file).write_text(text.replace(self.old, self.new))


MUTANTS = [
    Mutant(
        "answers 200 where something was created", "posts", "posts.js",
        "status(201)", "status(200)",
        "A new post is answered with 201",
    ),
    Mutant(
        "keeps posts under their titles", "posts", "posts.js",
        "posts[post.id] = post", "posts[post.title] = post",
        "A new post is in GET /posts, under its id",
    ),
    Mutant(
        "mistypes the event", "posts", "posts.js",
        "'PostCreated'", "'PostCreate'",
        "A new post is published: PostCreated with its id and title",
    ),
    Mutant(
        "answers with the new comment alone", "comments", "comments.js",
        "json(thread)", "json(comment)",
        "A new comment is answered with all comments on its post",
    ),
    Mutant(
        "leaves postId out of the event", "comments", "comments.js",
        "'CommentCreated', { ...comment, postId: req.params.id }", "'CommentCreated', comment",
        "A new comment is published: CommentCreated with its postId",
    ),
    Mutant(
        "does not publish CommentUpdated", "comments", "comments.js",
        "await publish('CommentUpdated', { ...comment, postId: data.postId });", "",
        "CommentModerated: the service publishes CommentUpdated",
    ),
    Mutant(
        "handles CommentModerated", "query", "query.js",
        "const handlers = {", "const handlers = {\n  CommentModerated: (data) => handlers.CommentUpdated(data),",
        "CommentModerated changes nothing",
    ),
    Mutant(
        "sends no CORS headers", "query", "query.js",
        "app.use(cors());", "",
        "Pages of another origin may call it (CORS)",
    ),
    Mutant(
        "judges a comment again when it is updated", "moderation", "moderation.js",
        "type === 'CommentCreated'", "['CommentCreated', 'CommentUpdated'].includes(type)",
        "It judges CommentCreated, and no other event",
    ),
    Mutant(
        "compares only the beginning", "moderation", "moderation.js",
        "content.includes", "content.startsWith",
        "A comment with the word orange is rejected",
    ),
    Mutant(
        "shows the newest event first", "event-bus", "event-bus.js",
        "events.push", "events.unshift",
        "GET /events shows all events as an array, oldest first",
    ),
    Mutant(
        "shows text as HTML", "client", "client.html",
        "made.textContent = text", "made.innerHTML = text",
        "Titles and comments are shown as text, never as HTML",
    ),
    Mutant(
        "ignores the error, and answers 201", "posts", "posts.py",
        '    service.publish(Event("PostCreated", post))',
        '    try:\n        service.publish(Event("PostCreated", post))\n    except Exception:\n        pass',
        "While the bus is down it answers, and keeps what it confirms",
    ),
    Mutant(
        "accepts comments on unknown posts", "comments", "comments.py",
        "if post_id not in service.state and not service.log_has(", "if False and not service.log_has(",
        "A comment on a post that does not exist is rejected with 404",
    ),
    Mutant(
        "overwrites an existing post", "query", "query.py",
        'posts.setdefault(post["id"], {**post, "comments": {}})', 'posts[post["id"]] = {**post, "comments": {}}',
        "PostCreated delivered again: the post keeps its comments",
    ),
    Mutant(
        "does not convert to lower case", "moderation", "moderation.py",
        ".lower()", "",
        "Orange is rejected in capital letters, too",
    ),
]  # fmt: skip
