"""Try the store before gunicorn starts the worker: a store that cannot be opened takes one line to report.

It imports the store and no more, because gevent patches only the worker process.
"""

import sys

from event_bus.log.store.interface import StoreError
from event_bus.log.store.opening import open_store


def check() -> None:
    """Open the store and close it. Exits with a message if that fails."""
    try:
        open_store().close()
    except StoreError as error:
        sys.exit(f"event-bus: {error}")
