import servers
from servers import echo

[dir(servers), dir(echo), repr(echo.get_sum)]
