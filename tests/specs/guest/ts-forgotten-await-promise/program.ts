async function load() {
  return 1;
}
({ a: load() });
