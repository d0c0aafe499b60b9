import asyncio
from servers import echo

async with asyncio.TaskGroup() as group:
    group.create_task(echo.echo())
    group.create_task(echo.fail())
