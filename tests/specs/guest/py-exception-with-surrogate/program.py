raise ValueError("\udcff")
