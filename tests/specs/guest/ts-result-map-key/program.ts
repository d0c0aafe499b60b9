new Map([[{}, 1]]);
