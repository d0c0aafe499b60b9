async def main():
    return 7

main()
