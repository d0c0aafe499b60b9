JSON.stringify = null as any;
throw new Error("x");
