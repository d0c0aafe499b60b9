JSON.parse("[".repeat(1_000_000));
