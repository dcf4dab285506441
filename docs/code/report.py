"""Count the rejected comments: another team's report, which reads the monolith's database."""

import sqlite3

database = sqlite3.connect("data/monolith.db")
[(rejected,)] = database.execute("SELECT COUNT(*) FROM comments WHERE status = 'rejected'")
print(f"{rejected} rejected")
