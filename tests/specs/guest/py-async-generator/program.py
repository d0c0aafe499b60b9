import asyncio

closed = []

async def numbers():
    try:
        for n in range(10):
            await asyncio.sleep(0)
            yield n
    finally:
        await asyncio.sleep(0)
        closed.append(True)

got = []
async for n in numbers():
    if n == 3:
        break
    got.append(n)
squares = [n * n async for n in numbers() if n < 3]
await asyncio.sleep(0)
[got, squares]
