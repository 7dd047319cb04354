"""TensorFlow's start-up lines kept out of command lines and notebooks."""

import contextlib
import logging
import os
import sys
import tempfile


@contextlib.contextmanager
def quiet_startup():
    """Silences what TensorFlow's C++ core writes while it is imported, and its hints afterwards.

    Its first lines bypass `sys.stderr`, so the file descriptor itself is turned away during the
    import; if that fails, they are shown. Its Python logger then shows errors only.

    Example:
        >>> with quiet_startup():
        ...     import keras
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(stderr, kept.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
