"""The event bus as a client sees it: requests, registration, the token."""
