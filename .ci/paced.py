"""Asks for pages at a steady pace on one connection, each at its time however long the last one took, and prints the median
and the 99th percentile of how long they took, in milliseconds.
  paced.py PORT COOKIE REQUESTS_A_SECOND SECONDS PATH..."""

import http.client
import sys
import time

port, cookie, rate, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
paths = sys.argv[5:]
connection = http.client.HTTPConnection("127.0.0.1", port)
took = []
begun = time.monotonic()
for n in range(int(rate * seconds)):
    due = begun + n / rate
    time.sleep(max(0.0, due - time.monotonic()))
    connection.request("GET", paths[n % len(paths)], headers={"Cookie": cookie})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        sys.exit(f"{paths[n % len(paths)]} was answered with {answer.status}")
    # From when it was due: a slow page keeps the next one waiting, and that counts.
    took.append((time.monotonic() - due) * 1000)
took.sort()
print(f"{took[len(took) // 2]:.1f} {took[int(len(took) * 0.99)]:.1f}")
