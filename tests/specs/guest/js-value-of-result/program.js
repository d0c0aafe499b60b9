result = 5;
