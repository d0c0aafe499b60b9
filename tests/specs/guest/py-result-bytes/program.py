{"data": b"abc"}
