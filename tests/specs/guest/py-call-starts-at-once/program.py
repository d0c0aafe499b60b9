import time
from servers import echo

start = time.monotonic()
calls = [echo.sleep(ms=150, n=n) for n in range(10)]
values = [(await call)["n"] for call in calls]
[values, time.monotonic() - start < 1.0]
