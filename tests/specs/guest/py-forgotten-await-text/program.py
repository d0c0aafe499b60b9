from servers import echo

f"{echo.echo(x=1)}"
