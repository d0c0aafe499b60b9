# The first time: works the task out, and keeps how as a file.
from servers import fs
skill = '''
import asyncio, csv, io
from servers import fs
async def month_total(year, month):
    """Cents of all orders of a month, from orders/YEAR-MM.csv."""
    text = (await fs.read_text_file(path=f"orders/{year}-{month:02}.csv"))["content"]
    return sum(int(row["cents"]) for row in csv.DictReader(io.StringIO(text)))
async def best_month(year):
    """The month with the highest total, and that total in cents."""
    totals = await asyncio.gather(*[month_total(year, m) for m in range(1, 13)])
    best = max(range(12), key=totals.__getitem__)
    return {"month": best + 1, "cents": totals[best]}
'''
await fs.create_directory(path="skills")
await fs.write_file(path="skills/orders.py", content=skill)
exec(skill, globals())
await best_month(2025)
