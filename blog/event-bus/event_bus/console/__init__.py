"""The console: the page in a browser, and the routes that only this page uses."""
