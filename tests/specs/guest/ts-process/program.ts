process.env.HOME;
