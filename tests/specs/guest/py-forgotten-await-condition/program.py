from servers import echo

if echo.echo(x=1):
    pass
