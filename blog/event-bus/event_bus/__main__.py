"""Run the event bus alone: `python -m event_bus`. Without reload: one process holds the log."""

from minibus.http.app import run

from event_bus.wsgi import app

run(app, 4005, reload=False)
