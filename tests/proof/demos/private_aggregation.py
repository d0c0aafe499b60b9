# Forty patient files with names and addresses: the mean age by diagnosis, groups under five left out. No name leaves here.
import asyncio, json
from collections import defaultdict
from servers import fs
names = [l.split("] ")[1] for l in (await fs.list_directory(path="patients"))["content"].splitlines()]
texts = await asyncio.gather(*[fs.read_text_file(path=f"patients/{n}") for n in names])
ages = defaultdict(list)
for text in texts:
    patient = json.loads(text["content"])
    ages[patient["diagnosis"]].append(patient["age"])
{d: {"patients": len(a), "mean_age": round(sum(a) / len(a), 1)} for d, a in sorted(ages.items()) if len(a) >= 5}
