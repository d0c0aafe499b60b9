setTimeout(() => {
  throw new Error("late");
}, 1);
await new Promise((done) => setTimeout(done, 5));
1;
