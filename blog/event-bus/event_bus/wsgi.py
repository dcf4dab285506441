"""The app of the bus that the settings describe: `gunicorn -c blog/common/gunicorn.conf.py event_bus.wsgi:app`."""

import sys

from event_bus.app import create_bus
from event_bus.store import StoreError, open_store

try:
    app = create_bus(open_store())
except StoreError as error:
    sys.exit(f"event-bus: {error}")
