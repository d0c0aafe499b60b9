import asyncio
from servers import echo

async def inner(n):
    await asyncio.sleep(0)
    return (await echo.echo(n=n))["n"]

def sync(n):
    return asyncio.run(inner(n))

first = await inner(1)
[first, sync(2), asyncio.run(inner(3)), asyncio.get_event_loop().run_until_complete(inner(4))]
