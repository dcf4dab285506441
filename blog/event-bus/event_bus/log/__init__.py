"""The log: the stored sequence of events, its stores and its file."""
