from servers import echo

def f():
    return await echo.echo(x=1)
