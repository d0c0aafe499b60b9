from servers import echo, files
from servers.files import resources
import servers.files as f

both = await f.resources.read("both")
[
    await files.resources.list(),
    await files.resources.templates(),
    await resources.read("a"),
    list(await resources.read(uri="b")),
    [both[0], len(both[1])],
    (await resources.contents("b"))[0]["mimeType"],
]
