import asyncio
import tta
from servers import echo

try:
    await echo.fail(a=1)
except ToolError as error:
    caught = [error.server, error.tool, error.message, error.kind, str(error), isinstance(error, tta.ToolError)]

both = await asyncio.gather(echo.fail(), echo.echo(x=1), return_exceptions=True)
[caught, both]
