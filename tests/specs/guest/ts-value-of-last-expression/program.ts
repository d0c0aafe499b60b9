const x: number = 20;
x * 2 + 2;
