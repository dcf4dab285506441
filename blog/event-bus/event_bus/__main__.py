"""Run the event bus alone: `python -m event_bus`. Without reload, because one process owns the log."""

from minibus.http.app import run

from event_bus.wsgi import app

run(app, 4005, reload=False)
