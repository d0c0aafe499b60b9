const one = Math.random();
[one >= 0 && one < 1, one !== Math.random()];
