"""Build the six images: `make images`. It needs Docker, and only the standard library of Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

BLOG = Path(__file__).resolve().parents[2] / "blog"
BASE = "python:3.13-slim"
PARTS = [dockerfile.parent.name for dockerfile in sorted(BLOG.glob("*/Dockerfile"))]

NO_DOCKER = "Docker is not installed here, or not on the PATH: https://docs.docker.com/get-started/get-docker/"
NOT_RUNNING = "Docker does not answer. Start Docker Desktop, or: sudo systemctl start docker. It says:\n{}"


def build(*builder: str) -> None:
    """Build every image with this command, such as `docker build`. Exits with the output of a build that fails."""
    for part in PARTS:
        print(f"  minibus-{part:<11}", end="", flush=True)
        begun = time.monotonic()
        # Paths are relative to the context, because minikube looks for the Dockerfile there.
        command = [*builder, "--tag", f"minibus-{part}", "--file", f"{part}/Dockerfile", "."]
        done = subprocess.run(
            command, cwd=BLOG, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        if done.returncode:
            sys.exit(f"does not build. {' '.join(command)} says:\n\n{done.stdout}")
        print(f"{time.monotonic() - begun:5.0f} s")


def what_is_missing() -> str:
    """Return why a build is impossible, or an empty string."""
    if not shutil.which("docker"):
        return NO_DOCKER
    asked = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True, check=False
    )
    return NOT_RUNNING.format(asked.stderr.strip()) if asked.returncode else ""


def size(image: str) -> float:
    """Return the size of an image in MB."""
    command = ["docker", "image", "inspect", "--format", "{{.Size}}", image]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1e6


def main() -> int:
    """Build the images and print their sizes; return the exit status."""
    if missing := what_is_missing():
        print(missing)
        return 1
    print("Building the six images; the first time takes about a minute", flush=True)
    build("docker", "build")
    base = size(BASE)
    largest = max(size(f"minibus-{part}") for part in PARTS)
    print(f"Each is at most {largest - base:.0f} MB above {BASE} ({base:.0f} MB), nearly all shared.")
    print("Run them with: docker compose up")
    return 0


if __name__ == "__main__":
    sys.exit(main())
