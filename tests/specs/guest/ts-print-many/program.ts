for (let n = 0; n < 100_000; n++) console.log(n);
1;
