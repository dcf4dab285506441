"""Exit with 0 if the part in this container answers 200, else with 1: `python healthy.py /readyz`.

It runs every few seconds beside each part, so it imports as little as possible.
"""

import os
import socket
import sys

with socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=5) as line:
    line.sendall(f"GET {sys.argv[1]} HTTP/1.0\r\n\r\n".encode())
    sys.exit(0 if b" 200 " in line.recv(64) else 1)
