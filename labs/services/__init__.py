"""Small services for the labs, in the course's way."""
