"""Reach the blog in a cluster from this machine, whatever the cluster is: `make forward`."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

from cluster import Cluster, ClusterError, stop_without

PORTS = {"client": 3000, "posts": 4000, "comments": 4001, "query": 4002, "event-bus": 4005}
OPEN = """
  The blog         http://127.0.0.1:3000
  The console      http://127.0.0.1:4005/

Ctrl-C ends the forwarding; the blog stays in the cluster."""


class Forward:
    """One `kubectl port-forward` to a Service; it leads to one pod, so it is begun again when that pod goes."""

    def __init__(self, cluster: Cluster, part: str, port: int) -> None:
        self.part = part
        self.command = ["kubectl", *cluster.where, "port-forward", "--address=127.0.0.1"]
        self.command += [f"service/{part}-clusterip-srv", f"{port}:{PORTS[part]}"]
        self.open = threading.Event()
        self.said = ""
        self.stopping = False
        self.process: subprocess.Popen[str] | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self.stopping:
            self.process = subprocess.Popen(
                self.command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
            )
            for line in self.process.stdout or []:
                self.said = line.strip()
                if line.startswith("Forwarding from"):
                    self.open.set()
                elif "lost connection" in line or "error forwarding" in line:
                    # It would go on listening for a pod that is gone.
                    self.process.terminate()
            self.process.wait()
            if self.open.is_set() and not self.stopping:
                print(f"{self.part}: its pod has gone; looking for the next one", flush=True)
            self.open.clear()
            time.sleep(0.5)

    def stop(self) -> None:
        """End it."""
        self.stopping = True
        if self.process:
            self.process.terminate()


def main() -> int:
    """Forward until Ctrl-C; return the exit status."""
    cluster = Cluster()
    stop_without(cluster)
    try:
        services = {item["metadata"]["name"] for item in cluster.get("services")}
    except ClusterError as error:
        sys.exit(str(error))
    if missing := [part for part in PORTS if f"{part}-clusterip-srv" not in services]:
        sys.exit(f"There is no {missing[0]}-clusterip-srv in {cluster.name()}. First: make deploy")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    forwards = [Forward(cluster, part, port) for part, port in PORTS.items()]
    try:
        for forward in forwards:
            while not stop.is_set() and not forward.open.wait(0.2):
                if "unable to listen" in forward.said.lower():
                    print(f"{forward.part}: {forward.said}\nIs make up, or docker compose, running here? End it first.")
                    return 1
        if not stop.is_set():
            print(OPEN, flush=True)
        stop.wait()
    finally:
        for forward in forwards:
            forward.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
