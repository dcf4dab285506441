"""Check a service in any language against the course's contract: `make conform`."""
