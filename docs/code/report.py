"""A report that somebody else wrote, who found the monolith's database and read it."""

import sqlite3

database = sqlite3.connect("data/monolith.db")
[(rejected,)] = database.execute("SELECT COUNT(*) FROM comments WHERE status = 'rejected'")
print(f"{rejected} rejected")
