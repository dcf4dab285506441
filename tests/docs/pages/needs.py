"""Detect the tools that some pages need beside Python: a container engine, a cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

# For each need, a command that succeeds if the need is met; its program must be installed.
NEEDS = {
    "docker": ["docker", "info"],
    "cluster": ["kubectl", "get", "nodes", "--request-timeout=20s"],
}
PATIENCE = 400.0  # seconds for a command that may build an image or start pods


def is_installed(need: str) -> bool:
    """Return whether this machine has the program of a need."""
    return shutil.which(NEEDS[need][0]) is not None


@cache
def is_there(need: str) -> bool:
    """Return whether a need is met. Use a cluster only with CLUSTER=1, because kubectl may point at a shared one."""
    if need == "cluster" and os.environ.get("CLUSTER") != "1":
        return False
    done = subprocess.run(NEEDS[need], capture_output=True, timeout=60, check=False)
    return done.returncode == 0
