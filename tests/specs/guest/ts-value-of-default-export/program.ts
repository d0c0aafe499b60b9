interface A { n: number }
const a: A = { n: 1 };
export default a;
