import json
import re
from collections import Counter, defaultdict
from datetime import date, timedelta
from statistics import mean, median

# What a typical program does after its calls: shape, group, rank, sum up.
rows = [
    {
        "id": i,
        "team": f"team-{i % 7}",
        "day": (date(2026, 1, 1) + timedelta(days=i % 90)).isoformat(),
        "cost": (i * 37) % 101 + 0.5,
        "note": f"order {i} from customer C{i % 13:03d}",
    }
    for i in range(300)
]
by_team = defaultdict(list)
for row in rows:
    by_team[row["team"]].append(row)
customers = Counter(re.search(r"C(\d+)", row["note"]).group(0) for row in rows)
summary = {
    team: {"orders": len(mine), "mean": round(mean(r["cost"] for r in mine), 2), "median": median(r["cost"] for r in mine)}
    for team, mine in sorted(by_team.items())
}
months = Counter(row["day"][:7] for row in rows)
packed = json.dumps(rows)
top = max(rows, key=lambda row: (row["cost"], -row["id"]))
assert json.loads(packed)[0] == rows[0]
{"teams": summary, "customers": customers.most_common(3), "months": dict(months), "top": top["id"], "bytes": len(packed)}
