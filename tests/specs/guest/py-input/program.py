name = input("who? ")
