"""The Flask side of a part: the app, parameters, errors, and the routes that every service has."""
