import json
from servers import echo

json.dumps({"a": echo.echo(x=1)})
