const a: any = {};
a.self = [a];
a;
