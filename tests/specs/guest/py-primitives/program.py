import asyncio

queue, lock, seen = asyncio.Queue(2), asyncio.Lock(), []

async def produce():
    for n in range(5):
        await queue.put(n)
    await queue.put(None)

async def consume():
    while (n := await queue.get()) is not None:
        async with lock:
            seen.append(n)

await asyncio.gather(produce(), consume())
limit = asyncio.Semaphore(2)
async with limit:
    seen.append("end")
seen
