from servers import echo

await echo.echo(data=[echo.echo(x=1)])
