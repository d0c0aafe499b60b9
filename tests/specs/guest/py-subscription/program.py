import asyncio
from servers import files

told = []
async for update in files.resources.subscribe("a"):
    told.append(update)
    if len(told) == 3:
        break
updates = await files.resources.subscribe("a")
told.append(await anext(updates))
await updates.aclose()
told.append([update async for update in updates])
try:
    async for update in files.resources.subscribe("dies"):
        told.append(update["times"])
except ToolError as error:
    told.append(error.message)
patient = files.resources.subscribe("a")
for _ in range(5):
    try:
        told.append((await asyncio.wait_for(anext(patient), 0.3))["times"])
    except TimeoutError:
        told.append("quiet")
try:
    for update in files.resources.subscribe("a"):
        pass
except TypeError as error:
    told.append(str(error))
told
