"""The Flask side of a part: its app, fields, errors, guard, and the routes that every service has."""
