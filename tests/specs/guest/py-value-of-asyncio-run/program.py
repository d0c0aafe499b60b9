import asyncio
from servers import echo

async def main():
    return await echo.echo(x=1)

if __name__ == "__main__":
    asyncio.run(main())
