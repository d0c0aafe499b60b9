enum Level { Low = 1, High }
class Box<T> {
  #kept: T;
  constructor(private readonly label: string, kept: T) {
    this.#kept = kept;
  }
  show(): string {
    return `${this.label}:${this.#kept}`;
  }
}
function* count() {
  yield 1;
  yield 2;
}
const grouped = Object.groupBy([1, 2, 3], (n) => (n % 2 ? "odd" : "even"));
const big = 10n ** 20n;
[Level.High, new Box("a", 1).show(), [...count()], grouped, String(big), "a-b".replaceAll("-", "+"), [3, 1].toSorted(), /(?<y>\d+)/.exec("x12")?.groups?.y];
