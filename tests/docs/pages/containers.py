"""Run a page's `docker` commands, and remove their containers, networks and volumes after the page."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

# Label each container of the page. Some machines have compose as a program, not as a plugin.
DOCKER = """#!/bin/sh
case "$1" in
run) shift; exec {docker} run --label minibus.page={mark} "$@";;
compose) if ! {docker} compose version > /dev/null 2>&1; then shift; exec docker-compose "$@"; fi;;
esac
exec {docker} "$@"
"""
KINDS = ("network", "volume")


class Docker:
    """A wrapper of `docker`, first on the PATH of a page that needs Docker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder.parent / "minibus"
        self.docker = ""
        self.before: set[str] = set()

    def begin(self) -> None:
        """Write the wrapper into its folder, and record the existing networks and volumes."""
        if self.docker:
            return
        self.docker = str(shutil.which("docker"))
        self.before = self._existing()
        self.folder.mkdir()
        program = self.folder / "docker"
        program.write_text(DOCKER.format(docker=self.docker, mark=self.folder.parent.name))
        program.chmod(0o755)

    def environment(self) -> dict[str, str]:
        """Return the environment variables of a terminal that uses the wrapper."""
        project = self.folder.parent.name.lower()
        return {"PATH": os.pathsep.join([str(self.folder), os.environ["PATH"]]), "COMPOSE_PROJECT_NAME": project}

    def close(self) -> None:
        """Remove the page's containers, then its networks and volumes."""
        if not self.docker:
            return
        name = self.folder.parent.name
        for label in (f"minibus.page={name}", f"com.docker.compose.project={name.lower()}"):
            left = self._run("ps", "--all", "--quiet", "--filter", f"label={label}")
            self._run("rm", "--force", "--volumes", *left)
        for one in self._existing() - self.before:
            self._run(*one.split())

    def _existing(self) -> set[str]:
        """Return the command that removes each network and volume of Minibus or of this page."""
        names = ["--filter", "name=minibus", "--filter", f"name={self.folder.parent.name.lower()}"]
        asked = {kind: self._run(kind, "ls", "--quiet", *names) for kind in KINDS}
        return {f"{kind} rm {one}" for kind, ones in asked.items() for one in ones}

    def _run(self, *command: str) -> list[str]:
        done = subprocess.run([self.docker, *command], capture_output=True, text=True, check=False)
        return done.stdout.split()
