({
  map: new Map<string, unknown>([["a", 1], ["b", new Set([1, 2])]]),
  date: new Date(0),
  big: 2n ** 64n,
  error: new TypeError("bad"),
  left_out: undefined,
  list: [undefined, null],
  url: new URL("https://a/b"),
});
