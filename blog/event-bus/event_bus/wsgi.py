"""The bus's WSGI app, made from the settings: `gunicorn -c blog/common/gunicorn.conf.py event_bus.wsgi:app`."""

import os
import sys

from event_bus.app import create_bus
from event_bus.delivery.listed import COURSE, read_listed
from event_bus.http.guard import Guard
from event_bus.log.store.interface import StoreError
from event_bus.log.store.opening import open_store

try:
    listed = read_listed(os.environ.get("SUBSCRIBERS", COURSE))
    app = create_bus(open_store(os.environ), listed, Guard(os.environ))
except (StoreError, ValueError) as error:
    sys.exit(f"event-bus: {error}")
