"""The harness that proves the pages can fail: what is shown, what is said, and what may differ between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages.links import what_is_wrong
from tests.docs.pages.listings import cut, renewed
from tests.docs.pages.transcript import Names, read
from tests.support.system import ROOT

README = ROOT / "README.md"


def is_shown(shown: str, said: str, names: Names | None = None) -> bool:
    return (names or Names()).match(shown.splitlines(), said)


def test_a_console_is_read_command_by_command() -> None:
    first, second, third = read("$ cat <<END\n> Hello\n> END\nHello\n$ make up\nStarting\n⋮\n^C\nStopped.\n")

    assert (first.typed, first.shown, first.goes_on) == ("cat <<END\nHello\nEND", ["Hello"], False)
    assert (second.typed, second.shown, second.goes_on) == ("make up", ["Starting", "⋮"], True)
    assert (third.typed, third.shown) == ("^C", ["Stopped."])
    assert (first.first, first.last) == (3, 4)


def test_a_block_can_show_what_a_command_goes_on_to_say() -> None:
    [command] = read("⋮\nHello\n⋮\n")

    assert (command.typed, command.shown, command.goes_on) == ("⋮", ["Hello", "⋮"], True)


def test_text_before_any_command_is_refused() -> None:
    with pytest.raises(ValueError, match="behind"):
        read("Hello\n$ echo Hello\n")


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("Hello", "Hello\n"),
        ("Hello", "Hello   \n"),
        ("", ""),
        ("a …\nc", "a long line\nc\n"),
        ("a\n…\nd", "a\nb\nc\nd\n"),
        ("a\n…\nd", "a\nd\n"),
        ("running  105 s  of 12", "running  3 s  of 12\n"),
        ("at 10:11:12 in 3.4 ms", "at 23:59:59 in 12 ms\n"),
        ("{“1f2e3d4c”}", "{“83ed520b”}\n"),
        ("Starting\n⋮", "Starting\nand more\n"),
        ("green", "\x1b[32mgreen\x1b[0m\n"),
    ],
)
def test_what_is_shown_is_what_was_said(shown: str, said: str) -> None:
    assert is_shown(shown, said)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("Hello", "Hello, you\n"),
        ("", "Something\n"),
        ("Something", ""),
        ("a\n…\nd", "a\nb\nc\n"),
        ("12 posts", "13 posts\n"),
        ("{“1f2e3d4c”}", "{“an id”}\n"),
        ("1f2e3d4c and 1f2e3d4c", "83ed520b and 25cf6f40\n"),
        ("Started\n⋮", "Starting\n"),
        (".*", "anything\n"),
    ],
)
def test_anything_else_is_told(shown: str, said: str) -> None:
    assert not is_shown(shown, said)


def test_an_id_on_the_page_stands_for_the_one_of_this_run() -> None:
    names = Names()
    assert is_shown('{"id": "1f2e3d4c"}', '{"id": "83ed520b"}\n', names)

    assert names.typed("curl 127.0.0.1:4000/posts/1f2e3d4c") == "curl 127.0.0.1:4000/posts/83ed520b"
    assert names.on_page("83ed520b is there") == "1f2e3d4c is there"
    assert is_shown("1f2e3d4c", "83ed520b\n", names)
    assert not is_shown("1f2e3d4c", "25cf6f40\n", names)


def test_a_listing_is_cut_by_name_by_region_or_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.docs.pages.listings.ROOT", tmp_path)
    (tmp_path / "a.py").write_text("A = 1\n\n\n@on\ndef f():\n    return A\n")
    (tmp_path / "a.yaml").write_text("a: 1\n# region probes\nb: 2\n# endregion\n")

    assert cut("a.py#f,A") == "@on\ndef f():\n    return A\n\n\nA = 1\n"
    assert cut("a.yaml#probes") == "b: 2\n"
    assert renewed("```yaml from=a.yaml\nold\n```\n") == f"```yaml from=a.yaml\n{cut('a.yaml')}```\n"
    for nothing in ("a.py#g", "a.yaml#A", "b.py"):
        with pytest.raises(LookupError):
            cut(nothing)


@pytest.mark.parametrize("target", ["LICENSE", "docs/", "docs/console.md#keys", "#stories", "http://127.0.0.1:3000"])
def test_a_link_that_leads_somewhere_is_let_be(target: str) -> None:
    assert what_is_wrong(README, target) == ""


@pytest.mark.parametrize(
    "target", ["NOTHING", "../../etc", "docs/console.md#locks", "#no-such", "http:/x", "LICENSE#1"]
)
def test_a_dead_link_is_told(target: str) -> None:
    assert what_is_wrong(README, target)
