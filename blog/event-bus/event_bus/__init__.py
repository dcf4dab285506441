"""The event bus: it stores every event, delivers it, replays it. Written by hand, because the project explains it."""
