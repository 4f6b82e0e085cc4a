"""Asks for previews of texts that are made to be slow, on four connections at once, until it is told to stop or the time is over,
and prints how many were answered, how many of them were refused, and how long the slowest took, in milliseconds.
  hostile.py PORT COOKIE SECONDS"""

import http.client
import sys
import threading
import time
import urllib.parse

port, cookie, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
LENGTH = 190_000
PIECES = [">", "- ", "1. ", "[", "![", "*_", "**a ", "`", "<p>", "<b>", "<table><tr><td>", "|a", "&amp;", "~~a ", "# a\n", "a\n\n"]
CHAINS = ["not ", "-", "email.a", "1+", "a~", "email|upper|"]
texts = [piece * (LENGTH // len(piece)) for piece in PIECES]
texts += ["{{ " + piece * (LENGTH // len(piece)) + "email }}" for piece in CHAINS]
texts.append("|a" * 1000 + "|\n" + "|-" * 1000 + "|\n" + "|a\n" * (LENGTH // 3 - 2000))
bodies = [urllib.parse.urlencode({"form[subject]": "Hello", "form[body]": text}) for text in texts]
headers = {
    "Cookie": cookie,
    "Origin": f"http://127.0.0.1:{port}",
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/json",
}
end = time.monotonic() + seconds
took, refused, statuses, lock = [], 0, set(), threading.Lock()


def ask(worker):
    global refused
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for n in range(worker, 10**9):
        begun = time.monotonic()
        if begun > end:
            return
        connection.request("POST", "/api/messages/preview", bodies[n % len(bodies)], headers)
        answer = connection.getresponse()
        answer.read()
        with lock:
            took.append((time.monotonic() - begun) * 1000)
            refused += answer.status != 200
            statuses.add(answer.status)


workers = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
# Anything else is a request that was made wrongly, or a fault of the service: neither is measured here.
if statuses - {200, 422, 429, 503}:
    sys.exit(f"answered {sorted(statuses)}")
print(f"{len(took)} {refused} {max(took):.0f}")
