const a: any = { d: new Date(0), m: new Map([[1, { x: 1 }]]), r: /a/g, list: [1, , 3] };
a.self = a;
const b = structuredClone(a);
let refused = "";
try {
  structuredClone({ f() {} });
} catch (error) {
  refused = (error as Error).name;
}
[b.self === b, b !== a, b.d.getTime(), b.m.get(1).x, b.r.flags, b.list.length, refused];
