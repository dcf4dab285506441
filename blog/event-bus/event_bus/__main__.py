"""Run the event bus alone, with reload: `python -m event_bus`."""

from minibus.web import run

from event_bus.wsgi import app

run(app, 4005)
