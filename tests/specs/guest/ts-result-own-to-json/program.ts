({ a: { toJSON() { throw new Error("mine"); } } });
