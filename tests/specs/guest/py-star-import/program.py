from servers.echo import *

await get_sum(a=1, b=1)
