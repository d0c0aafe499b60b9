import servers.nothing
