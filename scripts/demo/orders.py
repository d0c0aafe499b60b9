# The year's revenue by region, and the best month, kept in the knowledge graph; what the model gets back is three lines.
import asyncio
import csv
import io
from collections import Counter

import tta
from servers import fs, git, memory

folder = tta.inputs["folder"]
months = [f"2026-{month:02}" for month in range(1, 13)]
answers = await asyncio.gather(*[fs.read_text_file(path=f"{folder}/orders/{month}.csv") for month in months])

by_region, by_month = Counter(), Counter()
for month, answer in zip(months, answers):
    for order in csv.DictReader(io.StringIO(answer["content"])):
        by_region[order["region"]] += int(order["cents"])
        by_month[month] += int(order["cents"])
best = by_month.most_common(1)[0][0]

facts = [f"{region}: {cents / 100:.2f}" for region, cents in by_region.items()]
_, log = await asyncio.gather(
    memory.create_entities(entities=[{"name": "orders 2026", "entityType": "report", "observations": facts}]),
    git.git_log(repo_path=folder, max_count=1),
)
{"best_month": best, "revenue": {region: cents / 100 for region, cents in by_region.most_common()}, "as_of": log}
