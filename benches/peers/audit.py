# An audit as one would write it in Python: load each session and count whose it is.
import collections
import json
import os
import pickle
import sys


class Plain(pickle.Unpickler):
    """Builds what sessions are made of, and calls nothing."""

    def find_class(self, module, name):
        return dict


def load(file):
    if file.peek(1)[:1] == b"\x80":
        return Plain(file).load()
    return json.load(file)


counts = collections.Counter()
for directory, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(directory, name)
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno())
                session = load(file)
            if session.get("uid") not in (None, False):
                kind = "authenticated"
            elif session.get("sale_order_id") or session.get("wishlist_ids"):
                kind = "cart"
            else:
                kind = "anonymous"
        except Exception:
            kind = "unreadable"
        counts[kind] += 1
print(dict(counts))
