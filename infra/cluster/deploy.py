"""Deploy the blog to the cluster that kubectl points at, and delete it again: `make deploy`, `make undeploy`."""

from __future__ import annotations

import sys

from infra.cluster.check import complaints
from infra.cluster.cluster import Cluster, ClusterError, stop_without
from infra.cluster.manifests import MANIFESTS, built_images, read
from infra.parts import url

OPEN = f"""
  make forward       keeps running, and opens:
                     the blog at     {url("client")}
                     the console at  {url("event-bus")}

  http://posts.com   with an ingress controller: see docs/troubleshooting.md"""


def deploy(cluster: Cluster) -> None:
    """Check the manifests, apply them and wait until all pods are ready. Exits with what is wrong."""
    if wrong := complaints(read(MANIFESTS)):
        sys.exit("\n".join(wrong))
    stop_without(cluster)
    try:
        print(f"Deploying to {cluster.name()}", flush=True)
        for warning in cluster.warnings(list(built_images())):
            print(f"\n{warning}\n", flush=True)
        before = {item["metadata"]["name"] for item in cluster.get("deployments")}
        applied = cluster.kubectl("apply", f"--filename={MANIFESTS}")
        print(f"  applied {len(applied.splitlines())} objects", flush=True)
        for manifest in read(MANIFESTS):
            # A rebuilt image keeps its name, so only a restart makes pods use it.
            if manifest.kind == "Deployment" and manifest.name in before:
                cluster.kubectl("rollout", "restart", f"deployment/{manifest.name}")
        cluster.await_ready()
    except ClusterError as error:
        sys.exit(f"\n{error}\n\nMore in docs/troubleshooting.md")


def undeploy(cluster: Cluster) -> None:
    """Ask, then delete the blog and its log."""
    stop_without(cluster)
    print(f"This deletes the blog from {cluster.name()}, with its log: every post and comment.")
    try:
        agreed = input("Type yes to go on: ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        print()
        agreed = False
    if not agreed:
        print("Nothing is deleted.")
        return
    try:
        print(cluster.kubectl("delete", f"--filename={MANIFESTS}", "--ignore-not-found", "--wait"), end="")
    except ClusterError as error:
        sys.exit(str(error))
    print("The blog is gone.")


if __name__ == "__main__":
    if sys.argv[1:] == ["undeploy"]:
        undeploy(Cluster())
    else:
        deploy(Cluster())
        print(OPEN)
