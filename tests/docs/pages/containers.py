"""Docker as the reader of a page types it: what it starts is marked, so that nothing outlives the page."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

# Some machines have compose as a program, not as a plugin.
DOCKER = """#!/bin/sh
case "$1" in
run) shift; exec {docker} run --label minibus.page={mark} "$@";;
compose) if ! {docker} compose version > /dev/null 2>&1; then shift; exec docker-compose "$@"; fi;;
esac
exec {docker} "$@"
"""
KINDS = ("network", "volume")


class Docker:
    """A `docker` that goes before the one on the PATH, once a page needs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder.parent / "minibus"
        self.docker = ""
        self.before: set[str] = set()

    def begin(self) -> None:
        """Put our `docker` into the folder, and note what is there."""
        if self.docker:
            return
        self.docker = str(shutil.which("docker"))
        self.before = self._there()
        self.folder.mkdir()
        program = self.folder / "docker"
        program.write_text(DOCKER.format(docker=self.docker, mark=self.folder.parent.name))
        program.chmod(0o755)

    def environment(self) -> dict[str, str]:
        """Return the settings by which a terminal finds it."""
        project = self.folder.parent.name.lower()
        return {"PATH": os.pathsep.join([str(self.folder), os.environ["PATH"]]), "COMPOSE_PROJECT_NAME": project}

    def close(self) -> None:
        """Remove what a page has left: containers first, then what they used."""
        if not self.docker:
            return
        name = self.folder.parent.name
        for label in (f"minibus.page={name}", f"com.docker.compose.project={name.lower()}"):
            left = self._ask("ps", "--all", "--quiet", "--filter", f"label={label}")
            self._ask("rm", "--force", "--volumes", *left)
        for one in self._there() - self.before:
            self._ask(*one.split())

    def _there(self) -> set[str]:
        """Return how each network and volume of ours would be removed."""
        names = ["--filter", "name=minibus", "--filter", f"name={self.folder.parent.name.lower()}"]
        asked = {kind: self._ask(kind, "ls", "--quiet", *names) for kind in KINDS}
        return {f"{kind} rm {one}" for kind, ones in asked.items() for one in ones}

    def _ask(self, *command: str) -> list[str]:
        done = subprocess.run([self.docker, *command], capture_output=True, text=True, check=False)
        return done.stdout.split()
