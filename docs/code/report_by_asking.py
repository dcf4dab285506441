"""The same report, by somebody who asks the owner of the data."""

import requests

rows = requests.get("http://127.0.0.1:8000/posts", timeout=5).json()
print(f"{sum(row['status'] == 'rejected' for row in rows)} rejected")
