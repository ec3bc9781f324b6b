"""Makes random session files and says, with Python's own json and pickle, what each of them means.

usage: sessions.py SEED CASES        prints lines of: kind, file in hex, meaning
       sessions.py                   reads lines of files in hex, prints the meaning of each

Nothing here knows how the Rust side works. Classes are never imported while reading: whatever a pickle names is an `Opaque`.
"""

import collections
import datetime
import decimal
import io
import json
import math
import pickle
import pickletools
import random
import resource
import struct
import sys

ODOOS = ["db", "login", "session_token", "context", "debug"]
OTHERS = ["sale_order_id", "wishlist_ids", "pre_uid", "next_sid", "deletion_time"]


class Opaque:
    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __init__(self, *args, **kwargs):
        pass

    def accept(self, *args, **kwargs):
        return self

    __call__ = __setitem__ = __setstate__ = append = extend = add = update = accept


class Reader(pickle.Unpickler):
    def find_class(self, module, name):
        return Opaque


def unpickle(data):
    return Reader(io.BytesIO(data)).load()


# What a file means

def who(uid):
    if uid is None or uid is False:
        return "-"
    if type(uid) is int and -(2**63) <= uid < 2**63:
        return str(uid)
    return "other"


def text(value):
    return value.encode("utf-8", "surrogatepass").hex() + "." if isinstance(value, str) else "-"


def seconds(session):
    time = session.get("deletion_time")
    if session.get("next_sid") is None or type(time) not in (int, float):
        return "-"
    if type(time) is int and not -(2**63) <= time < 2**63 or not math.isfinite(time):
        return "-"
    return struct.pack(">d", time).hex()


class Pairs(dict):
    """A dictionary of a JSON text that also knows the values of keys that were set twice."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.all = [value for _, value in pairs]


def activity(session):
    """The earliest first_activity in _trace and in _devices; -0.0 is 0.0."""
    trace, devices = session.get("_trace"), session.get("_devices")
    found = trace if type(trace) is list else []
    # The documented exception: of a device that is there twice, both count.
    found = found + (devices.all if isinstance(devices, dict) else [])
    times = [device.get("first_activity") for device in found if isinstance(device, dict)]
    times = [time for time in times if type(time) is float and math.isfinite(time)
             or type(time) is int and -(2**63) <= time < 2**63]
    return struct.pack(">d", min(map(float, times)) + 0.0).hex() if times else "-"


def meaning(session, activity=lambda session: "-"):
    if type(session) not in (dict, Pairs):
        return "not a dictionary"
    if "uid" not in session or sum(key in session for key in ODOOS) < 2:
        return "not Odoo's keys"
    wishes = session.get("wishlist_ids")
    pre = session.get("pre_uid")
    anonymous = who(session["uid"]) == "-"
    return " ".join([
        who(session["uid"]),
        text(session.get("login")),
        text(session.get("db")),
        "cart" if session.get("sale_order_id") or isinstance(wishes, list) and wishes else "-",
        "2fa" if anonymous and pre is not None and pre is not False else "-",
        seconds(session),
        activity(session),
    ])


def meaning_of_pickle(data):
    try:
        session = unpickle(data)
    except BaseException as why:
        return "rejected " + type(why).__name__
    return meaning(session)


def meaning_of_json(data):
    try:
        session = json.loads(data.decode("utf-8"), object_pairs_hook=Pairs)
    except RecursionError:
        return TOO_DEEP
    except ValueError as why:
        return TOO_LONG if "4300" in str(why) else "rejected " + type(why).__name__
    return meaning(session, activity)


# Python's own limits, which the Rust side does not share.
TOO_DEEP, TOO_LONG = "rejected RecursionError", "rejected 4300 digits"


# Random content

def number(r):
    return r.choice([
        lambda: r.randrange(-3, 12), lambda: r.randrange(300), lambda: r.randrange(2**17), lambda: r.randrange(-2**33, 2**33),
        lambda: r.choice([-1, 1]) * 2 ** r.choice([7, 8, 15, 16, 31, 32, 63, 64, 255, 2100]) + r.randrange(-2, 2),
        lambda: r.random() * 10 ** r.randrange(-3, 20), lambda: float(r.randrange(2**31)),
        lambda: r.choice([0.0, -0.0, 1e300, 5e-324, math.nan, math.inf, -math.inf]),
    ])()


def words(r):
    return r.choice([
        lambda: "", lambda: r.choice(ODOOS + OTHERS + ["uid"]), lambda: "admin", lambda: "a" * r.choice([1, 15, 255, 256, 300, 70000 if r.random() < .03 else 9]),
        lambda: "".join(chr(r.choice([r.randrange(128), r.randrange(0x3000), r.randrange(0xd7f0, 0xe010), 0x1f600, 0, 34, 92, 10])) for _ in range(r.randrange(8))),
        lambda: 'NaN "-Infinity', lambda: "\\", lambda: "\ud83d\ude00",
    ])()


class Plain:
    def __init__(self, **state):
        self.__dict__.update(state)


class Slots:
    __slots__ = ("a", "b")


class Keywords:
    def __new__(cls, *, a=0):
        return object.__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"a": 1}


class Items(dict):
    pass


class Multi(list):
    def __reduce_ex__(self, protocol):
        return Multi, (list(self),), {"x": self[:1]}


Pair = collections.namedtuple("Pair", "a b")


def odd(r, depth, pool):
    """What no JSON has."""
    some = lambda: value(r, depth + 1, pool)
    slots = Slots()
    slots.a = some()
    return r.choice([
        lambda: tuple(some() for _ in range(r.randrange(6))), lambda: {number(r) for _ in range(r.randrange(4))},
        lambda: frozenset(words(r) for _ in range(r.randrange(4))), lambda: words(r).encode("utf-8", "surrogatepass"),
        lambda: bytearray(r.randrange(4)), lambda: b"b" * 300, lambda: collections.OrderedDict(uid=some(), a=1) if r.random() < .7 else collections.OrderedDict(),
        lambda: datetime.datetime(2024, 2, 29, 1, 2), lambda: decimal.Decimal("1.5"), lambda: complex(1, 2), lambda: range(3),
        lambda: Plain(uid=some(), b=some()), lambda: slots, lambda: Keywords(), lambda: Items(uid=some()), lambda: Multi([some(), 1]),
        lambda: Pair(some(), 2), lambda: Ellipsis, lambda: dict, lambda: collections.Counter("aab"), lambda: collections.deque([some()]),
    ])()


def key(r):
    return r.choice([lambda: words(r), lambda: words(r), lambda: r.choice(["uid", "login", "db"]), lambda: number(r), lambda: r.choice([None, True, (1, "uid"), b"uid"])])()


def deep(r):
    nest = r.choice([1, "uid", None])
    for _ in range(r.choice([3, 30, 300])):
        nest = r.choice([lambda: [nest], lambda: {"uid": nest}, lambda: [1, nest, {}]])()
    return nest


def value(r, depth, pool):
    if pool and r.random() < .1:
        return r.choice(pool)
    made = r.choice([
        lambda: None, lambda: r.random() < .5, lambda: number(r), lambda: words(r), lambda: words(r),
        lambda: [] if depth > 3 else [value(r, depth + 1, pool) for _ in range(r.randrange(5))],
        lambda: {} if depth > 3 else {key(r): value(r, depth + 1, pool) for _ in range(r.randrange(5))},
        lambda: {"uid": 7, "login": "evil"}, lambda: deep(r) if r.random() < .1 else [],
        lambda: odd(r, depth, pool) if depth < 4 and r.random() < .4 else words(r),
    ])()
    pool.append(made)
    return made


def devices(r, pool):
    """What trace() makes, under keys of which some come twice as JSON: 1 and "1"."""
    return {r.choice([key(r), 1, "1", "a"]): device for device in trace(r, pool)}


def trace(r, pool):
    def device():
        first = r.choice([None, True, number(r), r.random() * 2e9, float("nan"), float("-inf"), value(r, 3, pool)])
        pairs = [("first_activity", first), ("last_activity", r.random() * 2e9), (key(r), value(r, 3, pool))]
        r.shuffle(pairs)
        return dict(pairs[:r.choice([1, 2, 3, 3, 3])])
    return [device() if r.random() < .8 else value(r, 3, pool) for _ in range(r.randrange(4))]


def session(r):
    pool = []
    name = words(r)
    pairs = [("uid", r.choice([None, None, False, True, r.randrange(1, 9), 70000, number(r), value(r, 2, pool)]))]
    for own in ODOOS:
        if r.random() < .85:
            pairs.append((own, r.choice([name, None, {"uid": 3, "lang": "en_US"}, value(r, 1, pool)])))
    for other in OTHERS:
        if r.random() < .35:
            pairs.append((other, r.choice([None, False, number(r), [], name, r.random() * 2e9, value(r, 1, pool)])))
    if r.random() < .4:
        pairs.append(("_trace", trace(r, pool) if r.random() < .8 else value(r, 1, pool)))
    if r.random() < .4:
        pairs.append(("_devices", devices(r, pool) if r.random() < .8 else value(r, 1, pool)))
    if r.random() < .3:
        pairs.append(("pre_login", name))
    for _ in range(r.randrange(4)):
        pairs.append((key(r), value(r, 1, pool)))
    if r.random() < .02:
        pairs += [(f"k{n}", n) for n in range(r.choice([999, 1001, 2100]))]
    if r.random() < .1:
        pairs.pop(0)
    r.shuffle(pairs)
    made = dict(pairs)
    if r.random() < .05:
        made["auth_login"] = made
    elif r.random() < .03:
        return r.choice([Items(made), list(made), (made,), collections.OrderedDict(made), None, 4, "uid", Plain()])
    return made


# Files

def pickled(r, made, protocol):
    """As C's pickler writes it or as Python's, which makes other memos and frames."""
    if r.random() < .5:
        return pickle.dumps(made, protocol)
    file = io.BytesIO()
    pickle._Pickler(file, protocol).dump(made)
    return file.getvalue()


def crafted(r):
    """Streams that no pickler writes: other operations for the same thing, keys set twice, dictionaries before the one returned."""
    part = lambda made: pickle.dumps(made, 2)[2:-1]
    pairs = []
    for _ in range(r.choice([1, 1, 2])):
        pairs += [(k, value(r, 2, [])) for k in ["uid", "db", "login", "debug", "pre_uid", "sale_order_id"] if r.random() < .8]
    r.shuffle(pairs)
    body = b"".join(part(k) + part(v) for k, v in pairs)
    if r.random() < .3:
        body = body.replace(part("login")[:-2], b"U\x05login")
    before = r.choice([b"", b"}0", b"(K\x01}1", b"(0", b"]0", b"}q\x000", b"N}K\x01Ns"])
    made = r.choice([b"(" + body + b"d", b"}(" + body + b"u", b"}" + b"".join(part(k) + part(v) + b"s" for k, v in pairs), b"}2(" + body + b"u0"])
    return b"\x80" + bytes([r.randrange(7)]) + before + made + r.choice([b"", b"", b"(1", b"(0", b"20"]) + b"." + r.choice([b"", b"rest"])


def as_json(r, made):
    options = dict(ensure_ascii=r.random() < .85, separators=r.choice([None, (",", ":"), (" ,\n", "\t:\r ")]), indent=r.choice([None, None, 1]), skipkeys=True)
    write = lambda part: json.dumps(part, default=repr, **options)
    if r.random() < .7 or type(made) is not dict:
        return write(made).encode("utf-8", "surrogatepass")
    items = [(k, v) for k, v in made.items() if isinstance(k, str)]
    items += [(k, value(r, 2, [])) for k, _ in r.choices(items, k=2)] if items else []
    r.shuffle(items)
    name = lambda k: write(k).replace("i", "\\u0069") if r.random() < .2 else write(k)
    return ("{" + ",".join(name(k) + ": " + write(v) for k, v in items) + "}").encode("utf-8", "surrogatepass")


def unframed(data):
    """A frame's length would give most mutations away."""
    return data[:2] + data[11:] if data[2:3] == b"\x95" else data


def seams(data):
    """Where operations begin, as far as pickletools understands."""
    found = []
    try:
        found += [at for _, _, at in pickletools.genops(data)]
    except ValueError:
        pass
    return found


def mutated(r, data, parts, places=()):
    """Mostly changed at the given places."""
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 1, 2, 3, 8])):
        at = r.choice(places) if places and r.random() < .7 else r.randrange(len(data) + 1)
        at = min(at, len(data))
        end = min(len(data), at + r.choice([1, 1, 2, 5]))
        kind = r.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << r.randrange(8)
        elif kind == 1:
            data[at:end] = b""
        elif kind == 2:
            data[at:at] = r.choice(parts)
        elif kind == 3:
            data[at:end] = r.choice(parts)
        elif kind == 4:
            to = r.randrange(len(data) + 1)
            data[to:to] = data[at:end]
        elif at < len(data):
            data[at] = r.randrange(256)
    return bytes(data)


def mutant_pickle(r, data):
    data = unframed(data)
    for _ in range(r.randrange(3)):
        # Other programs, sound more often than not: a word more, or another value in place of one.
        places = seams(data)
        if len(places) < 2:
            break
        which = r.randrange(len(places) - 1)
        start, end = places[which:which + 2]
        if data[start:start + 1] in VALUE_CODES and r.random() < .6:
            data = data[:start] + r.choice(VALUES) + data[end:]
        else:
            data = data[:start] + r.choice(HARMLESS) + data[start:]
    return data if r.random() < .5 else mutated(r, data, OPERATIONS, seams(data))


VALUE_CODES = [bytes([code]) for code in b"NJKMGXUTBC])}\x88\x89\x8a\x8c\x8d\x8f\x96hj"]
VALUES = [b"N", b"K\x00", b"\x88", b"]", b"}", b")", b"\x8f", b"(K\x01l", b"(NNd", b"(\x91", b"K\x05\x85", b"]\x85", b"h\x00", b"h\x01", b"h\x02", b"\x8c\x03uid", b"U\x02db",
          b"cos\nsystem\n)R", b"]Na", b"}NNs", b"\x8f(K\x01\x90", b"\x8b\x00\x00\x00\x00", b"C\x00", b"\x96" + bytes(8), b"X" + bytes(4), b"G\x80" + bytes(7), b"M\xff\xff"]
HARMLESS = [b"N0", b"(1", b"(NN1", b"(0", b"20", b"2\x850", b"]Na0", b"cos\nsystem\n0", b"\x80\x03", b"\x95" + bytes(8), b"\x94", b"(u", b"(e", b"(\x90"]
OPERATIONS = [bytes([code]) for code in b"(.012JKMGNXTUBC]}aesuld)tcbRqrhj\x80\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96PQo\x97\x82"]
OPERATIONS += [b"h\x00", b"h\x01", b"K\x01", b"q\x05", b"\x8c\x03uid", b"cos\nsystem\n", b")R", b"(u", b"]\x94", b"}\x94"]
SYNTAX = [part.encode() for part in [*'{}[],:"\\-.0123eE \n\t\x01', "NaN", "Infinity", "-Infinity", "null", "true", "\\u00e9", "\\ud800", '"uid":', "1e400", "\f", "\u00a0", "\x7f"]]


def cases(r, count):
    for _ in range(count):
        made = session(r)
        files = [pickled(r, made, protocol) for protocol in range(2, 6)]
        for protocol, data in enumerate(files, 2):
            yield f"pickle-{protocol}", data, meaning_of_pickle(data)
        bad = mutant_pickle(r, r.choice(files))
        yield "mutant-pickle", bad, meaning_of_pickle(bad)
        data = crafted(r)
        yield "crafted-pickle", data, meaning_of_pickle(data)
        bad = mutant_pickle(r, data)
        yield "mutant-pickle", bad, meaning_of_pickle(bad)
        try:
            data = as_json(r, made)
        except (ValueError, TypeError):
            continue
        yield "json", data, meaning_of_json(data)
        bad = mutated(r, data, SYNTAX)
        yield "mutant-json", bad, meaning_of_json(bad)


def main(seed, count):
    for kind, data, means in cases(random.Random(seed), count):
        if means not in (TOO_DEEP, TOO_LONG):
            print(kind, data.hex(), means, sep="\t")


def tell():
    for line in sys.stdin:
        data = bytes.fromhex(line)
        # json.loads would guess at UTF-16; Odoo opens the file as UTF-8.
        print(meaning_of_json(data) if data.lstrip()[:1] == b"{" else meaning_of_pickle(data))


if __name__ == "__main__":
    sys.setrecursionlimit(20000)
    # A mutated length must not take the machine down.
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    main(int(sys.argv[1]), int(sys.argv[2])) if sys.argv[1:] else tell()
