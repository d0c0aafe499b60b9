import asyncio

async def wait():
    await asyncio.get_running_loop().create_future()

await asyncio.gather(wait(), asyncio.sleep(0))
