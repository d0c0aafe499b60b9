const o: any = {};

o.run();
