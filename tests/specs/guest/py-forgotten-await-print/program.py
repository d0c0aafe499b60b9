from servers import echo

print(echo.echo(x=1))
