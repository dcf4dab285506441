"""Fixtures of the whole-system tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import Blog


@pytest.fixture(scope="module")
def blog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    """A whole blog on SQLite, shared by the tests of one file."""
    blog = Blog(tmp_path_factory.mktemp("blog"))
    try:
        yield blog.start().ready()
    finally:
        blog.close()


@pytest.fixture
def new_blog(tmp_path: Path) -> Iterator[Blog]:
    """A blog of a test's own, not started yet."""
    blog = Blog(tmp_path)
    yield blog
    blog.close()
