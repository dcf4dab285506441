"""Count the rejected comments: the same report, which requests the data from its owner."""

import requests

rows = requests.get("http://127.0.0.1:8000/posts", timeout=5).json()
print(f"{sum(row['status'] == 'rejected' for row in rows)} rejected")
