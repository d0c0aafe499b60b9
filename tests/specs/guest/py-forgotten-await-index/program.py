from servers import echo

reply = echo.echo(x=1)
print(reply["x"])
