"""Runs a command as a person does who opens each address that it prints on a line of its own, in a browser that follows
every redirect. What the command says on stderr is passed on; exits as the command does."""

import subprocess
import sys
import threading
import urllib.request

child = subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE, text=True)
browsers = []
for line in child.stderr:
    sys.stderr.write(line)
    if line.startswith(("http://", "https://")):
        browser = threading.Thread(target=lambda address: urllib.request.urlopen(address).read(), args=[line.strip()])
        browser.start()
        browsers.append(browser)
for browser in browsers:
    browser.join()
sys.exit(child.wait())
