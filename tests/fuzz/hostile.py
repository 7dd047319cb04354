"""What a hostile file may hold: numbers, words, JSON and YAML, and damage to good files."""

import json

from hypothesis import strategies as st

NUMBERS = ["0", "-1", "1", "2", "16", "212", "360", "1000", "1e400", "-1e-400", "nan", "inf",
    "1e12",
           "1000000000000", "99999999999999999999", "9" * 400, "9" * 5000, "0x" + "f" * 2000,
           "1.5", "-0.0001e40083961438826", ".", "-", "1:1:1:1", "\u0663"]
NAMES = ["", ".", "..", "../x", "../../etc/passwd", "/etc/passwd", "~root", "~nobody9", "a\\b",
    "C:x",
         "http://x/y", "x\0y", "x\ny", "\ud800", "x" * 300, "x" * 3000, "%s%n", "$(id)", "-rf",
         "null",
         "__import__('os')", "<b>", "\u202e"]
words = st.one_of(st.sampled_from(NUMBERS + NAMES), st.text(max_size=20))
numbers = st.one_of(
    st.integers(-3, 3), st.integers(), st.just(10**9), st.just(10**12), st.just(10**400),
    st.floats(),
    st.booleans(), st.none(),
)
plain = st.one_of(numbers, words)
trees = st.recursive(
    plain,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(words, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def damaged(draw, good: bytes, tokens=()):
    """Good bytes after some damage: cut, changed, doubled, other bytes put in, tokens replaced."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["cut", "change", "insert", "double", "token"]))
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        end = min(len(data), at + draw(st.integers(1, 40)))
        if kind == "cut":
            del data[at : end if draw(st.booleans()) else len(data)]
        elif kind == "change":
            data[at:end] = draw(st.binary(min_size=end - at, max_size=end - at))
        elif kind == "insert":
            data[at:at] = draw(st.binary(max_size=40))
        elif kind == "double":
            data[at:at] = data[at:end] * draw(st.integers(1, 50))
        elif tokens:
            data[at:end] = draw(st.sampled_from(tokens)).encode(errors="replace")
    return bytes(data)


def places(tree, path=()):
    """Paths of all values in a tree of dictionaries and lists."""
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) \
        else ()
    for key, value in items:
        yield from places(value, (*path, key))


@st.composite
def changed(draw, good: dict):
    """A good tree in which some values were replaced, taken out, or have got strange siblings."""
    tree = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([p for p in places(tree) if p] or [()]))
        if not path:
            return draw(trees)
        parent = tree
        for key in path[:-1]:
            parent = parent[key]
        kind = draw(st.sampled_from(["near", "value", "out", "more"]))
        number = isinstance(parent[path[-1]], (int, float))
        if kind == "near" and number:  # what may pass is more dangerous than what cannot
            parent[path[-1]] *= draw(st.sampled_from([0, -1, 0.5, 2, 10, 1000, 10**6]))
        elif kind in ("near", "value"):
            parent[path[-1]] = draw(trees)
        elif kind == "out":
            del parent[path[-1]]
        elif isinstance(parent, dict):
            parent[draw(words)] = draw(trees)
        else:
            parent.append(draw(trees))
    return tree


def as_json(tree) -> bytes:
    """JSON of a tree, with NaN and Infinity, whole numbers of any size and lone surrogates."""
    try:
        return json.dumps(tree).encode()
    except ValueError:  # a whole number of more digits than Python writes
        return b'{"x": ' + b"9" * 6000 + b"}"
