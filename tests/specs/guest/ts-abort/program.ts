const controller = new AbortController();
const seen: string[] = [];
controller.signal.addEventListener("abort", () => seen.push("event"));
controller.abort();
try {
  controller.signal.throwIfAborted();
} catch (error) {
  seen.push((error as Error).name);
}
[controller.signal.aborted, seen, AbortSignal.abort("why").reason];
