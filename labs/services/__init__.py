"""Small services that play the course's way in a lab."""
