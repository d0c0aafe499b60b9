from servers import echo

1 + echo.get_sum(a=1, b=2)
