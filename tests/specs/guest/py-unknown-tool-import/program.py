from servers.echo import ecco
