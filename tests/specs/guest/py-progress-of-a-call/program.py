from servers import echo

call = echo.sleep(ms=20)
told = [update async for update in call.progress()]
failing = echo.fail()
told += [update["progress"] async for update in failing.progress()]
try:
    await failing
except ToolError as error:
    told.append(error.message)
async for update in echo.sleep(ms=1).progress():
    pass
[told, await call]
