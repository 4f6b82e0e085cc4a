"""Reads a letter with Python's own parser, which shares no code with Vestnik, and prints as JSON what it saw."""

import json
import sys
from email import message_from_bytes, message_from_string, policy
from email.errors import NonASCIILocalPartDefect

raw = sys.stdin.buffer.read()
# RFC 6532: the headers of an international letter are UTF-8, which the parser takes as text only.
international = not raw.isascii()
letter = (
    message_from_string(raw.decode("utf-8"), policy=policy.SMTPUTF8)
    if international
    else message_from_bytes(raw, policy=policy.default)
)


def mailboxes(name):
    return [{"name": a.display_name, "address": a.addr_spec} for a in letter[name].addresses]


defects = [defect for part in letter.walk() for defect in part.defects]
defects += [defect for part in letter.walk() for value in part.values() for defect in value.defects]
if international:
    # Python names it a defect; RFC 6531 3.3 allows it.
    defects = [defect for defect in defects if not isinstance(defect, NonASCIILocalPartDefect)]
json.dump(
    {
        "subject": letter["Subject"],
        "from": mailboxes("From"),
        "to": mailboxes("To"),
        "reply_to": mailboxes("Reply-To"),
        "date": letter["Date"].datetime.isoformat(),
        "message_id": letter["Message-ID"],
        "counts": {name: len(letter.get_all(name, [])) for name in ("Subject", "From", "To", "Reply-To", "Date", "Message-ID")},
        "type": letter.get_content_type(),
        "parts": [
            {"type": part.get_content_type(), "charset": part.get_content_charset(), "text": part.get_content()}
            for part in letter.iter_parts()
        ],
        "defects": [repr(defect) for defect in defects],
    },
    sys.stdout,
)
