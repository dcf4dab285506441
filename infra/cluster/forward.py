"""Forward ports of this machine to the blog in a cluster of any kind: `make forward`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading

from infra.cluster.cluster import Cluster, ClusterError, stop_without
from infra.parts import PORTS, url

FORWARDED = [part for part in PORTS if part != "moderation"]  # which has no routes for people
PAUSE = 0.5  # seconds between two tries
OPEN = f"""
  The blog         {url("client")}
  The console      {url("event-bus")}/

Ctrl-C ends the forwarding; the blog stays in the cluster."""


class Forward:
    """Keeps one `kubectl port-forward` to a part's Service running.

    kubectl forwards to one pod, so this starts kubectl again when that pod ends. `port` is the port on this machine;
    0 means a free port, another one after each start.
    """

    def __init__(self, cluster: Cluster, part: str, port: int = 0, verbose: bool = True) -> None:
        self.part = part
        self.verbose = verbose
        self.command = ["kubectl", *cluster.where, "port-forward", "--address=127.0.0.1"]
        self.command += [f"service/{part}-clusterip-srv", f"{port or ''}:{PORTS[part]}"]
        self.url = ""  # empty while the forward is not up
        self.said = ""
        self.stopping = threading.Event()
        self.process: subprocess.Popen[str] | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.stopping.is_set():
            # A session of its own: Ctrl-C must end this program first, which then ends kubectl.
            self.process = subprocess.Popen(
                self.command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
            )
            for line in self.process.stdout or []:
                self._read(line, self.process)
            self.process.wait()
            self.url = ""
            self.stopping.wait(PAUSE)

    def _read(self, line: str, process: subprocess.Popen[str]) -> None:
        self.said = line.strip()
        if found := re.match(r"Forwarding from (127\.0\.0\.1:\d+)", line):
            self.url = f"http://{found[1]}"
        elif re.search("lost connection|error (forwarding|copying|creating)|an error occurred", line):
            # Otherwise kubectl would keep listening for a pod that has ended.
            if self.url and self.verbose:
                print(f"{self.part}: its pod has ended; connecting to another one", flush=True)
            self.url = ""
            process.terminate()

    def stop(self) -> None:
        """Stop forwarding."""
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
    if missing := [part for part in FORWARDED if f"{part}-clusterip-srv" not in services]:
        sys.exit(f"There is no {missing[0]}-clusterip-srv in {where}. First: make deploy")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print(f"Forwarding to {where}", flush=True)
    forwards = [Forward(cluster, part, PORTS[part]) for part in FORWARDED]
    try:
        for forward in forwards:
            while not forward.url and not stop.wait(0.2):
                if "unable to listen" in forward.said.lower():
                    print(f"Port {PORTS[forward.part]} ({forward.part}) is in use by another program,")
                    print(f"perhaps make up or docker compose. End that first. kubectl says:\n{forward.said}")
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
