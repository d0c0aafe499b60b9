new Uint8Array(3);
