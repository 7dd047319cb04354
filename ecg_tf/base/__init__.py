"""What every other subpackage stands on; imports nothing of them.

| file | content |
| --- | --- |
| `errors.py` | `InputError`: what was expected, what came, how to fix it; files written whole |
| `checks.py` | arguments checked: counts, numbers, choices |
| `locks.py` | one process at a time in a folder |
| `code.py` | digest of the code, versions, commit |
| `stages.py` | what a long work is doing, in lines |
| `tf_startup.py` | TensorFlow imported without its start-up lines |
"""
