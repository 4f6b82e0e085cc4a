"""For .ci/bench-web.sh: publishes, edits and deletes posts at one process, and measures until another shows it.

    spread.py PORT OTHER_PORT EMAIL PASSWORD TIMES
"""

import http.client
import sys
import time
import urllib.parse

here, there = (int(port) for port in sys.argv[1:3])
email, password, times = sys.argv[3], sys.argv[4], int(sys.argv[5])


def ask(port, path, form=None, cookie=""):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Cookie": cookie} if cookie else {}
    if form is None:
        connection.request("GET", path, headers=headers)
    else:
        headers["Origin"] = f"http://127.0.0.1:{port}"
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", path, urllib.parse.urlencode(form), headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if form is not None and answer.status >= 400:
        sys.exit(f"{path}: {answer.status} {text}")
    return answer.status, text, answer.getheader("set-cookie") or ""


def shows(path, text):
    return text in ask(there, path)[1]


def until(path, text, wanted, start):
    """Milliseconds from the write on until the other process shows it; after that no stale page may come."""
    while shows(path, text) != wanted:
        pass
    took = (time.monotonic() - start) * 1000
    for _ in range(20):
        if shows(path, text) != wanted:
            sys.exit(f"a stale page: {path}")
    return took


cookie = ask(here, "/api/login", {"form[email]": email, "form[password]": password})[2].split(";")[0]
took = {"publish": [], "edit": [], "delete": []}
for n in range(1, times + 1):
    post = {"form[title]": f"First {n}", "form[slug]": f"post-{n}", "form[body]": "x", "form[lang]": "en", "form[publish]": "now"}
    for path in ("/", "/blog", f"/blog/post-{n}"):
        ask(there, path)
    ask(here, "/api/posts/save", post, cookie)
    start = time.monotonic()
    took["publish"].append(until(f"/blog/post-{n}", f"First {n}", True, start))
    took["publish"].append(until("/blog", f"First {n}", True, start))
    ask(here, "/api/posts/save", {**post, "form[id]": n, "form[version]": 1, "form[title]": f"Second {n}"}, cookie)
    start = time.monotonic()
    took["edit"].append(until(f"/blog/post-{n}", f"Second {n}", True, start))
    took["edit"].append(until("/blog", f"Second {n}", True, start))
    ask(here, "/api/posts/delete", {"id": n}, cookie)
    start = time.monotonic()
    took["delete"].append(until(f"/blog/post-{n}", f"Second {n}", False, start))
    took["delete"].append(until("/blog", f"Second {n}", False, start))
for what, values in took.items():
    values.sort()
    print(f"{what}: shown by the other process after {values[len(values) // 2]:.0f} ms, at most {values[-1]:.0f} ms ({len(values)} looks)")
