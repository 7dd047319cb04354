"""codec.json: read, checked and brought to this version before anything in it is believed."""

import json

from ecg_tf.base.checks import known_keys
from ecg_tf.base.errors import InputError

FORMAT, VERSION = "ecg_tf codec", 2
LARGEST_FILE = 2**20  # bytes; a codec takes two thousand
_KEYS = ("format", "version", "fs", "leads", "image_leads", "standardizer", "arrangement",
         "preparation")


def read(path) -> bytes:
    """The bytes of a codec.json, as many as there may be and one more."""
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"Cannot read the codec '{path}'.", expected="a codec.json",
                         got=f"{type(error).__name__}: {error.strerror}",
                         fix="give the codec.json of a run's folder") from error


def parsed(text: str | bytes):
    """What stands in a codec.json."""
    try:
        if len(text) > LARGEST_FILE:
            raise ValueError(f"more than {LARGEST_FILE} bytes")
        return json.loads(text)
    except (ValueError, RecursionError) as err:
        raise InputError("This is no codec.", expected="a codec.json written by Codec.save",
                         got=f"{type(err).__name__}: {str(err)[:80]}",
                         fix="take the file of the run that made the images") from err


def checked_state(state) -> dict:
    """A state of a codec with the keys of this version.

    Version 1 had `range` for `scaling`, no `preparation`, and no `image_leads` where all leads
    have channels.
    """
    if isinstance(state, dict) and state.get("version") == 1:
        scaling = state.get("standardizer")
        if isinstance(scaling, dict):
            scaling = {"scaling" if key == "range" else key: scaling[key] for key in scaling}
        state = {"image_leads": None, "preparation": None, **state, "standardizer": scaling,
                 "version": VERSION}
    known_keys(state, _KEYS, "the codec")
    if state["format"] != FORMAT or state["version"] != VERSION:
        raise InputError("This codec is of another format.", expected=f"{FORMAT}, {VERSION}",
                         got=f"{state['format']!r:.40}, {state['version']!r:.40}",
                         fix="load it with the version of ecg_tf that wrote it")
    return state
