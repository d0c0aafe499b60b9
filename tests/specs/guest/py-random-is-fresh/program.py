import os, random, secrets, uuid

[0 <= random.random() < 1, random.random() != random.random(), uuid.uuid4() != uuid.uuid4(), len(os.urandom(4)), len(secrets.token_hex(4))]
