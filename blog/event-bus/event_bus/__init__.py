"""The event bus: stores every event, delivers it, replays it. Written by hand: it is the point of the project."""
