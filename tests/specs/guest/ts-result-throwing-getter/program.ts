({
  get a(): number {
    throw new RangeError("getter");
  },
});
