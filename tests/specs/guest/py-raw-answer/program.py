from servers import echo

[await echo.get_sum.raw(a=1), await echo.get_sum.raw({"b": 2})]
