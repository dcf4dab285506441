"""The page and the console in a real browser."""
