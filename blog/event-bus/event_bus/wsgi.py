"""The app of the bus that the settings describe: `gunicorn -c blog/common/gunicorn.conf.py event_bus.wsgi:app`."""

import os
import sys

from event_bus.app import COURSE, create_bus, read_listed
from event_bus.http.guard import Guard
from event_bus.log.store import StoreError, open_store

try:
    listed = read_listed(os.environ.get("SUBSCRIBERS", COURSE))
    app = create_bus(open_store(os.environ), listed, Guard(os.environ))
except (StoreError, ValueError) as error:
    sys.exit(f"event-bus: {error}")
