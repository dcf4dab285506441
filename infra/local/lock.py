"""Pin the newest version of every package in blog/requirements.txt, with hashes: `make lock`.

One resolution pins them for all systems and all versions of Python from 3.11 on. The sections divide the result: the
images install what the parts import, `make up` what runs beside them, and `make test` all of it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

from infra.local.environment import LOCK, ROOT, bring_uv, connection_of, normal, pip, projects, run

HEAD = "# Every package, pinned with hashes for Python 3.11 and newer; `make lock` writes this file anew.\n"
SECTIONS = {
    "install": "what installs all others",
    "parts": "what the parts import, in the images too",
    "run": "what runs the parts on a laptop",
    "test": "what tests and checks them",
}
OPTIONS = ["--quiet", "--no-config", "--universal", "--python-version", "3.11", "--generate-hashes"]
PLAIN = ["--no-header", "--no-annotate", "--no-emit-index-url"]


def main() -> None:
    """Resolve all packages together, and divide them among the sections."""
    listed = subprocess.run([*pip(), "config", "list"], text=True, capture_output=True, check=False).stdout
    connection = connection_of(listed)
    # An index beside the first may have a few files of a version only: the lock needs the hashes of all files.
    for beside in ("UV_INDEX", "UV_FIND_LINKS"):
        connection.pop(beside, None)
    uv = bring_uv(connection)
    if not uv:
        sys.exit("There is no uv here, so nothing is pinned; the lines above name the cause.")
    folder = ROOT / "run" / "lock"
    folder.mkdir(parents=True, exist_ok=True)
    wanted, written = folder / "wanted.txt", folder / "written.txt"

    def resolve(names: list[str], *options: str) -> list[str]:
        """Return the lines for these packages and all that they need, one block of lines a package."""
        wanted.write_text("\n".join(names))
        if not run([uv, "pip", "compile", *OPTIONS, *PLAIN, *options, "-o", str(written), str(wanted)], connection):
            sys.exit("uv cannot pin the packages; the lines above name the cause.")
        return re.findall(r"^\S.*\n(?:[ \t].*\n)*", written.read_text(), re.MULTILINE)

    needs = read_needs()
    everything = folder / "everything.txt"
    everything.write_text("".join(resolve([need for names in needs.values() for need in names], "--upgrade")))
    lock = HEAD
    asked: list[str] = []
    pinned: set[str] = set()
    for name, what in SECTIONS.items():
        asked += needs[name]
        blocks = {block.partition("==")[0]: block for block in resolve(asked, "--constraints", str(everything))}
        lock += f"\n# {name}: {what}\n{''.join(blocks[package] for package in blocks if package not in pinned)}"
        pinned.update(blocks)
    LOCK.write_text(lock)


def read_needs() -> dict[str, list[str]]:
    """Return what each section begins with: the parts' own dependencies, and the groups of pyproject.toml."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    parts = [tomllib.loads(file.read_text())["project"] for file in projects()]
    ours = {normal(part["name"]) for part in parts}
    needed = {need for part in parts for need in part.get("dependencies", []) if normal(need) not in ours}
    return {**groups, "parts": sorted(needed)}


if __name__ == "__main__":
    main()
