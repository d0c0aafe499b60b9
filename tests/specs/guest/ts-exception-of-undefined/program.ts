const o: any = {};

o.a.b;
