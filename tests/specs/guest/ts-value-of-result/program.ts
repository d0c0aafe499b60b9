let result: number[] = [1];
result.push(2);
console.log("done");
