from servers import echo

echo.echo(x=1)
1
