"""The owner of the monolith's database finds a better name for a column."""

import sqlite3

sqlite3.connect("data/monolith.db").execute("ALTER TABLE comments RENAME COLUMN status TO verdict")
print("comments.status is comments.verdict now")
