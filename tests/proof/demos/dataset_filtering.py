# 10,000 orders; the five largest that are still open, of customers in Norway.
import csv, io
from servers import fs
text = (await fs.read_text_file(path="orders.csv"))["content"]
rows = [r for r in csv.DictReader(io.StringIO(text)) if r["status"] == "open" and r["country"] == "NO"]
rows.sort(key=lambda r: -int(r["cents"]))
[{"id": r["id"], "total": int(r["cents"]) / 100} for r in rows[:5]]
