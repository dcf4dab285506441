"""The console: the page in a browser, and the streams that only the page reads."""
