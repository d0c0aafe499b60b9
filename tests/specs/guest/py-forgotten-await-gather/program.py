import asyncio
from servers import echo

replies = asyncio.gather(echo.echo(x=1))
replies[0]
