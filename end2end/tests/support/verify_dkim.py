"""Verifies the DKIM signature of a letter on standard input with dkimpy, which shares no code with Vestnik.

The arguments are the name in the DNS that the signature must ask for, and the record that is there."""

import sys

import dkim

name, record = (word.encode() for word in sys.argv[1:3])
print(dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda asked, **_: record if asked == name else b""))
