# What Odoo's own garbage collection does: 14 and 15 list the store itself, 16 and newer glob one level down.
import contextlib
import glob
import os
import sys
import time

store, layout, seconds = sys.argv[1:]
threshold = time.time() - int(seconds)
if layout == "flat":
    paths = (os.path.join(store, name) for name in os.listdir(store))
else:
    paths = glob.iglob(os.path.join(store, "*", "*"))
for path in paths:
    with contextlib.suppress(OSError):
        if os.path.getmtime(path) < threshold:
            os.unlink(path)
