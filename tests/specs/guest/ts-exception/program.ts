function check(n: number): number {
  if (n > 1) throw new RangeError("too big");
  return n;
}

check(2);
