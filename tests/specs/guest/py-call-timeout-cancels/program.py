import asyncio
from servers import echo

try:
    await asyncio.wait_for(echo.hang(), timeout=0.02)
except TimeoutError:
    outcome = "timed out"

async with asyncio.timeout(10):
    after = await echo.echo(ok=True)
[outcome, after]
