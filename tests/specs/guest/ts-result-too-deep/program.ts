let x: any = 1;
for (let i = 0; i < 100_000; i++) x = [x];
x;
