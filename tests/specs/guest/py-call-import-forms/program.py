from servers import echo, files
from servers.echo import get_sum, echo as say
from servers.files import readTextFile
import servers.files as f
import servers

[
    await echo.echo(x=1),
    await get_sum(a=1, b=2),
    await say({"y": 2}),
    await files.read_text_file(path="p"),
    await readTextFile(path="q"),
    await f.read_text_file({"path": "r"}),
    await servers.echo.getSum({"a": 1}, b=4),
]
