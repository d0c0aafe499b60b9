from servers import echo

await echo.echo(data={"x": b"raw"})
