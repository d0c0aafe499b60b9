import asyncio
from servers import echo

async def main():
    return (await echo.get_sum(a=1, b=2)) + 1
