Buffer.from("a");
