"""Reads a feed from standard input with feedparser and prints what it found as JSON."""
import json
import sys

import feedparser

feed = feedparser.parse(sys.stdin.buffer.read())
json.dump(
    {
        "version": feed.version,
        "wrong": str(feed.get("bozo_exception", "")) if feed.bozo else "",
        "title": feed.feed.get("title", ""),
        "self": [link.href for link in feed.feed.get("links", []) if link.rel == "self"],
        "entries": [
            {
                "id": entry.get("id", ""),
                "title": entry.get("title", ""),
                "link": entry.get("link", ""),
                "author": entry.get("author", ""),
                "published": entry.get("published_parsed") is not None,
                "tags": [tag.term for tag in entry.get("tags", [])],
                "html": entry.content[0].value if "content" in entry else entry.get("summary", ""),
            }
            for entry in feed.entries
        ],
    },
    sys.stdout,
)
