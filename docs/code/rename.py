"""Rename a column of the monolith's database, as its owner."""

import sqlite3

sqlite3.connect("data/monolith.db").execute("ALTER TABLE comments RENAME COLUMN status TO verdict")
print("The column comments.status is now comments.verdict.")
