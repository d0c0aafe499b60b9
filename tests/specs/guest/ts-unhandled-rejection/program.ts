Promise.reject(new Error("lost"));
1;
