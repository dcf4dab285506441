"""Put the blog on minikube, from nothing: `make minikube`."""

from __future__ import annotations

import shutil
import subprocess
import sys

from cluster import Cluster
from deploy import deploy
from images import PARTS, build

NO_MINIKUBE = "minikube is not installed here, or not on the PATH: https://minikube.sigs.k8s.io/docs/start/"
OPEN = """
  make forward       and leave it running; it works with every driver:
                     the blog at     http://127.0.0.1:3000
                     the console at  http://127.0.0.1:4005

  http://posts.com   as in the chapter:
    1. minikube tunnel, in another terminal; it may ask for your password
    2. this line in /etc/hosts, on Windows in
       C:\\Windows\\System32\\drivers\\etc\\hosts:
         {address} posts.com
"""


def minikube(*arguments: str) -> str:
    """Run minikube quietly; return what it prints. Exits with what it says where it fails."""
    done = subprocess.run(["minikube", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"minikube {' '.join(arguments)} failed. It says:\n{done.stdout}{done.stderr}")
    return done.stdout


def start() -> None:
    """Start minikube where it is not running; what it says is for people to see."""
    if subprocess.run(["minikube", "status"], capture_output=True, check=False).returncode == 0:
        print("minikube is running.", flush=True)
        return
    print("Starting minikube (some minutes, the first time) …", flush=True)
    if code := subprocess.run(["minikube", "start"], check=False).returncode:
        sys.exit(f"minikube does not start (its exit status is {code}); what it says above tells why.")


def enable_ingress() -> None:
    """Give it an ingress controller; the blog can be reached without one, so a failure is only told."""
    print("Enabling its ingress controller …", flush=True)
    done = subprocess.run(["minikube", "addons", "enable", "ingress"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"No ingress, so no http://posts.com; everything else works. minikube says:\n{done.stderr}")


def address() -> str:
    """Return where posts.com is to be found: with drivers that use Docker only the tunnel leads in."""
    behind_docker = '"Driver":"docker"' in minikube("profile", "list", "--output=json").replace(" ", "")
    return "127.0.0.1" if behind_docker else minikube("ip").strip()


def main() -> None:
    """Start it, build the images into it, deploy, and say what to open."""
    if not shutil.which("minikube"):
        sys.exit(NO_MINIKUBE)
    start()
    enable_ingress()
    print("Building the six images inside minikube", flush=True)
    build("minikube", "image", "build")
    # It may say that all is well where nothing was built.
    there = minikube("image", "ls")
    if missing := [part for part in PARTS if f"minibus-{part}:" not in there]:
        sys.exit(f"minikube has built nothing for {', '.join(missing)}. In full: cd blog; minikube image build "
                 f"--alsologtostderr --tag minibus-{missing[0]} --file {missing[0]}/Dockerfile .")  # fmt: skip
    deploy(Cluster(context="minikube"))
    print(OPEN.format(address=address()))


if __name__ == "__main__":
    main()
