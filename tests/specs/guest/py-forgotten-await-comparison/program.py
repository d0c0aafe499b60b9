from servers import echo

echo.get_sum(a=1, b=2) == 3
