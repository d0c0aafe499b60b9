from servers import echo

async def work():
    return await echo.fail(a=1)

await work()
