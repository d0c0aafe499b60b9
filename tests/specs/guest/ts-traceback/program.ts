interface Big {
  a: number;
}

function inner(): never {
  throw new Error("deep");
}

inner();
