"""What some pages need beside Python: a container engine, a cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

# The program that tells of it, and a question that it answers well where there is one.
NEEDS = {
    "docker": ["docker", "info"],
    "cluster": ["kubectl", "get", "nodes", "--request-timeout=20s"],
}
PATIENCE = 400.0  # seconds: an image may have to be built, and pods to start


def is_installed(need: str) -> bool:
    """Say whether this machine has what could be asked for it."""
    return shutil.which(NEEDS[need][0]) is not None


@cache
def is_there(need: str) -> bool:
    """Say whether it answers, and may be used: a cluster may be somebody's, so CLUSTER=1 has to say so."""
    if need == "cluster" and os.environ.get("CLUSTER") != "1":
        return False
    asked = subprocess.run(NEEDS[need], capture_output=True, timeout=60, check=False)
    return asked.returncode == 0
