from servers import echo

{"items": [echo.echo(x=n) for n in range(2)]}
