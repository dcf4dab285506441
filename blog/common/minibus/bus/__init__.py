"""The event bus as a client sees it: requests, registration, token; and the replica that the bus feeds."""
