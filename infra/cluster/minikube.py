"""Start minikube, build the images in it, and deploy the blog: `make minikube`."""

from __future__ import annotations

import shutil
import subprocess
import sys

from infra.cluster.cluster import Cluster
from infra.cluster.deploy import deploy
from infra.cluster.images import PARTS, build
from infra.parts import url

NO_MINIKUBE = "minikube is not installed here, or not on the PATH: https://minikube.sigs.k8s.io/docs/start/"
OPEN = """
  make forward       keeps running, works with every driver, and opens:
                     the blog at     {blog}
                     the console at  {console}

  http://posts.com   as in the chapter:
    1. minikube tunnel, in another terminal; it may ask for your password
    2. this line in /etc/hosts, on Windows in
       C:\\Windows\\System32\\drivers\\etc\\hosts:
         {address} posts.com
"""


def minikube(*arguments: str) -> str:
    """Run minikube and return its output. Exits with that output if minikube fails."""
    done = subprocess.run(["minikube", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"minikube {' '.join(arguments)} failed. Its output:\n{done.stdout}{done.stderr}")
    return done.stdout


def start() -> None:
    """Start minikube unless it is running; its own output is shown."""
    if subprocess.run(["minikube", "status"], capture_output=True, check=False).returncode == 0:
        print("minikube is running.", flush=True)
        return
    print("Starting minikube (some minutes, the first time) …", flush=True)
    if code := subprocess.run(["minikube", "start"], check=False).returncode:
        sys.exit(f"minikube does not start (exit status {code}). Its output above says why.")


def enable_ingress() -> None:
    """Enable the ingress controller; print a failure, because the blog works without one."""
    print("Enabling its ingress controller …", flush=True)
    done = subprocess.run(["minikube", "addons", "enable", "ingress"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"No ingress, so no http://posts.com; everything else works. minikube says:\n{done.stderr}")


def address() -> str:
    """Return the IP address for posts.com: 127.0.0.1 where minikube runs in Docker, because only a tunnel leads in."""
    behind_docker = '"Driver":"docker"' in minikube("profile", "list", "--output=json").replace(" ", "")
    return "127.0.0.1" if behind_docker else minikube("ip").strip()


def main() -> None:
    """Start minikube, build the images, deploy, and print what to open."""
    if not shutil.which("minikube"):
        sys.exit(NO_MINIKUBE)
    start()
    enable_ingress()
    print("Building the six images inside minikube", flush=True)
    build("minikube", "image", "build")
    # minikube may report success although it has built nothing.
    there = minikube("image", "ls")
    if missing := [part for part in PARTS if f"minibus-{part}:" not in there]:
        sys.exit(f"minikube has built nothing for {', '.join(missing)}. In full: cd blog; minikube image build "
                 f"--alsologtostderr --tag minibus-{missing[0]} --file {missing[0]}/Dockerfile .")  # fmt: skip
    deploy(Cluster(context="minikube"))
    print(OPEN.format(address=address(), blog=url("client"), console=url("event-bus")))


if __name__ == "__main__":
    main()
