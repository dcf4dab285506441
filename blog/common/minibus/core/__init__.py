"""The core: events, the fold, its history. It has no I/O, no clock, no thread and no random source."""
