"""gunicorn's settings for every part: `gunicorn -c blog/common/gunicorn.conf.py posts:app`."""

import os

from gunicorn_worker import BEING_REJECTED, CONNECTIONS, Worker, check_part

bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
# One process holds the state. A connection that only waits costs a greenlet.
workers = 1
worker_class = Worker
worker_connections = CONNECTIONS + BEING_REJECTED
# A delivery names all parked events, perhaps thousands, in one header; fewer headers keep the sum bounded.
limit_request_field_size = 32 * 1024
limit_request_fields = 50
keepalive = 30
timeout = 30
graceful_timeout = 3
control_socket_disable = True
loglevel = "warning"
on_starting = check_part
