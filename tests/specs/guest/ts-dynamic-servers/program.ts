const servers = await import("servers");
Object.keys(servers);
