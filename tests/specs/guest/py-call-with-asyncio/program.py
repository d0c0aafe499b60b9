import asyncio
from servers import echo

gathered = await asyncio.gather(*[echo.sleep(ms=10, n=n) for n in range(3)])

async with asyncio.TaskGroup() as group:
    tasks = [group.create_task(echo.echo(n=n)) for n in range(3)]

created = asyncio.create_task(echo.echo(n=9))
first = [await done for done in asyncio.as_completed([echo.sleep(ms=60, n=1), echo.sleep(ms=1, n=2)])]
done, pending = await asyncio.wait([echo.echo(n=1), echo.echo(n=2)])
in_thread = await asyncio.to_thread(lambda: "ran")

[
    [g["n"] for g in gathered],
    [t.result()["n"] for t in tasks],
    (await created)["n"],
    [f["n"] for f in first],
    sorted(d.result()["n"] for d in done),
    len(pending),
    in_thread,
]
