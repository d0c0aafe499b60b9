from servers import echo

for item in echo.echo(x=1):
    pass
