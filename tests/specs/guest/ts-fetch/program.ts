const reply = await fetch("https://example.com");
reply;
