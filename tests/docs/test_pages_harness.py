"""Test the machinery that proves pages: reading a console block, comparing its output, listings and links."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.parts import ROOT
from tests.docs.pages.links import problem_of
from tests.docs.pages.listings import cut, renewed
from tests.docs.pages.transcript import Names, read

README = ROOT / "README.md"


def matches(shown: str, output: str, names: Names | None = None) -> bool:
    return (names or Names()).match(shown.splitlines(), output)


def test_a_console_block_becomes_commands_with_their_output() -> None:
    first, second, third = read("$ cat <<END\n> Hello\n> END\nHello\n$ make up\nStarting\n⋮\n^C\nStopped.\n")

    assert (first.typed, first.shown, first.continues) == ("cat <<END\nHello\nEND", ["Hello"], False)
    assert (second.typed, second.shown, second.continues) == ("make up", ["Starting", "⋮"], True)
    assert (third.typed, third.shown) == ("^C", ["Stopped."])
    assert (first.first, first.last) == (3, 4)


def test_a_block_may_start_with_more_output_of_a_running_command() -> None:
    [command] = read("⋮\nHello\n⋮\n")

    assert (command.typed, command.shown, command.continues) == ("⋮", ["Hello", "⋮"], True)


def test_output_before_the_first_command_is_an_error() -> None:
    with pytest.raises(ValueError, match="must begin with"):
        read("Hello\n$ echo Hello\n")


@pytest.mark.parametrize(
    ("shown", "output"),
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
def test_output_that_equals_the_page_matches(shown: str, output: str) -> None:
    assert matches(shown, output)


@pytest.mark.parametrize(
    ("shown", "output"),
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
def test_other_output_does_not_match(shown: str, output: str) -> None:
    assert not matches(shown, output)


def test_an_id_of_the_page_is_replaced_by_the_id_of_this_run() -> None:
    names = Names()
    assert matches('{"id": "1f2e3d4c"}', '{"id": "83ed520b"}\n', names)

    assert names.typed("curl 127.0.0.1:4000/posts/1f2e3d4c") == "curl 127.0.0.1:4000/posts/83ed520b"
    assert names.on_page("83ed520b is there") == "1f2e3d4c is there"
    assert matches("1f2e3d4c", "83ed520b\n", names)
    assert not matches("1f2e3d4c", "25cf6f40\n", names)


def test_a_listing_is_cut_by_name_by_region_or_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.docs.pages.listings.ROOT", tmp_path)
    (tmp_path / "a.py").write_text("A = 1\n\n\n@on\ndef f():\n    return A\n")
    (tmp_path / "a.yaml").write_text("a: 1\n# region probes\nb: 2\n# endregion\n")

    assert cut("a.py#f,A") == "@on\ndef f():\n    return A\n\n\nA = 1\n"
    assert cut("a.yaml#probes") == "b: 2\n"
    assert renewed("```yaml from=a.yaml\nold\n```\n") == f"```yaml from=a.yaml\n{cut('a.yaml')}```\n"
    for missing in ("a.py#g", "a.yaml#A", "b.py"):
        with pytest.raises(LookupError):
            cut(missing)


@pytest.mark.parametrize("target", ["LICENSE", "docs/", "docs/console.md#keys", "#stories", "http://127.0.0.1:3000"])
def test_a_link_with_a_target_has_no_problem(target: str) -> None:
    assert problem_of(README, target) == ""


@pytest.mark.parametrize(
    "target", ["NOTHING", "../../etc", "docs/console.md#locks", "#no-such", "http:/x", "LICENSE#1"]
)
def test_a_link_without_a_target_has_a_problem(target: str) -> None:
    assert problem_of(README, target)
