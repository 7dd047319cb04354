"""Names of layers that do not depend on what was built before in the same process."""

import re
from collections import Counter


def number_layers(model) -> None:
    """Counts a model's layers of one kind from 1, in their order, instead of through the process.

    Keras names a layer that was given no name after all those before it: `add_12` in a notebook
    that built another network first is `add` in a fresh process. TensorFlow's graph optimizer goes
    by names: with some of them its fusing of operations fails and is left out, and sums then
    differ in their last bits. So the same training ended with other weights.

    Args:
        model: keras.Model; the names of its layers are changed in place, and its own if Keras
            counted it.
    """
    kinds = [_kind(layer.name) for layer in model.layers]
    several = {kind for kind, count in Counter(kinds).items() if count > 1}
    seen: Counter[str] = Counter()
    for layer, kind in zip(model.layers, kinds, strict=True):
        seen[kind] += 1
        layer.name = f"{kind}_{seen[kind]}" if kind in several else kind
    model.name = _kind(model.name)


def _kind(name: str) -> str:
    return re.sub(r"_\d+$", "", name)
