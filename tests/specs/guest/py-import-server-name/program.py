import echo
