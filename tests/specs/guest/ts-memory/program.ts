const x: unknown[] = [];
while (true) x.push(new Array(1_000_000).fill(1));
