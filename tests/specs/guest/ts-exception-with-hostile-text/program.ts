class Evil extends Error {
  get message(): string {
    throw new Error("no");
  }
}
throw new Evil();
