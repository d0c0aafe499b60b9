import asyncio

async def fail():
    raise ValueError("lost")

asyncio.create_task(fail())
await asyncio.sleep(0)
1
