"""No line of the package loads what could run code."""

import ast
from pathlib import Path

import pytest

import ecg_tf

FILES = sorted(Path(ecg_tf.__file__).parent.rglob("*.py"))
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {"eval", "exec", "compile", "__import__", "read_pickle", "to_pickle", "unsafe_load",
         "full_load", "enable_unsafe_deserialization", "mktemp"}


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def faults(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else \
            [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [name for name in names if name.split(".")[0] in MODULES]
        if not isinstance(node, ast.Call):
            continue
        name = name_of(node)
        given = {one.arg: getattr(one.value, "value", None) for one in node.keywords}
        owner = getattr(getattr(node.func, "value", None), "id", "")
        # Methods of these names, such as model.compile and re.compile, are other things.
        if name in CALLS and (isinstance(node.func, ast.Name) or name not in ("compile", "eval")):
            found.append(name)
        if owner == "yaml" and name in ("load", "load_all"):
            found.append("yaml.load")
        if owner == "np" and name == "load" and given.get("allow_pickle") is not False:
            found.append("np.load with pickles")
        if given.get("safe_mode") is False or given.get("allow_pickle") is True \
                or given.get("shell") is True:
            found.append(f"{name}: {given}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_that_could_run_code_is_loaded(path):
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", [
    "import pickle", "from joblib import load", "np.load(f)", "np.load(f, allow_pickle=True)",
    "yaml.load(f, Loader=x)", "eval('1')", "keras.saving.load_model(f, safe_mode=False)",
    "subprocess.run(x, shell=True)", "pd.read_pickle(f)"])
def test_and_the_test_would_see_it(source):
    assert faults(source)


def test_keras_refuses_a_model_that_brings_code(tmp_path):
    import keras

    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1)(inputs))
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="[Uu]nsafe|safe_mode|lambda"):
        keras.saving.load_model(tmp_path / "m.keras")  # as it is called everywhere here
