console.log("%s is %d", "a", 1.5, { b: [1, "x", null, undefined] });
console.error(new Map([["k", new Set([1])]]));
console.info(1n, Symbol("s"), () => {}, true);
1;
