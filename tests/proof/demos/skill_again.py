from servers import fs
exec((await fs.read_text_file(path="skills/orders.py"))["content"], globals())
await best_month(2026)
