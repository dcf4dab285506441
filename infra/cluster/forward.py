"""Reach the blog in a cluster from this machine, whatever the cluster is: `make forward`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading

from cluster import Cluster, ClusterError, stop_without

PORTS = {"client": 3000, "posts": 4000, "comments": 4001, "query": 4002, "event-bus": 4005}
PAUSE = 0.5  # seconds between two tries
OPEN = """
  The blog         http://127.0.0.1:3000
  The console      http://127.0.0.1:4005/

Ctrl-C ends the forwarding; the blog stays in the cluster."""


class Forward:
    """One `kubectl port-forward` to a part's Service. It leads to one pod, so it is begun again when that pod goes.

    `port` is the one on this machine; 0 takes one that is free, anew each time.
    """

    def __init__(self, cluster: Cluster, part: str, port: int = 0, tell: bool = True) -> None:
        self.part = part
        self.tell = tell
        self.command = ["kubectl", *cluster.where, "port-forward", "--address=127.0.0.1"]
        self.command += [f"service/{part}-clusterip-srv", f"{port or ''}:{PORTS[part]}"]
        self.url = ""  # empty while nobody is there
        self.said = ""
        self.stopping = threading.Event()
        self.process: subprocess.Popen[str] | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.stopping.is_set():
            # In a session of its own, so that Ctrl-C reaches only us.
            self.process = subprocess.Popen(
                self.command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
            )
            for line in self.process.stdout or []:
                self._hear(line, self.process)
            self.process.wait()
            self.url = ""
            self.stopping.wait(PAUSE)

    def _hear(self, line: str, process: subprocess.Popen[str]) -> None:
        self.said = line.strip()
        if found := re.match(r"Forwarding from (127\.0\.0\.1:\d+)", line):
            self.url = f"http://{found[1]}"
        elif re.search("lost connection|error (forwarding|copying|creating)|an error occurred", line):
            # Or it would go on listening for a pod that is gone.
            if self.url and self.tell:
                print(f"{self.part}: its pod is gone; looking for another", flush=True)
            self.url = ""
            process.terminate()

    def stop(self) -> None:
        """End it."""
        self.stopping.set()
        if self.process:
            self.process.terminate()
        self.thread.join(5)


def main() -> int:
    """Forward until Ctrl-C; return the exit status."""
    cluster = Cluster()
    stop_without(cluster)
    try:
        services = {item["metadata"]["name"] for item in cluster.get("services")}
        where = cluster.name()
    except ClusterError as error:
        sys.exit(str(error))
    if missing := [part for part in PORTS if f"{part}-clusterip-srv" not in services]:
        sys.exit(f"There is no {missing[0]}-clusterip-srv in {where}. First: make deploy")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print(f"Forwarding to {where}", flush=True)
    forwards = [Forward(cluster, part, port) for part, port in PORTS.items()]
    try:
        for forward in forwards:
            while not forward.url and not stop.wait(0.2):
                if "unable to listen" in forward.said.lower():
                    print(f"Port {PORTS[forward.part]} ({forward.part}) is in use: by make up, docker compose, or")
                    print(f"another make forward? End that first. kubectl says:\n{forward.said}")
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
