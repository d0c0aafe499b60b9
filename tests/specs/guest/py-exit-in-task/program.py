import asyncio

result = 4

async def stop():
    exit(0)

await stop()
