"""A small PhysioNet on this machine, for tests: it breaks off, damages files or is too busy."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SUMS = "SHA256SUMS.txt"


class Server:
    """A small PhysioNet: files, its requests, and what goes wrong (each once, or always)."""

    def __init__(self, files: dict[str, bytes], folder: str):
        self.files, self.folder = dict(files), f"/files/{folder}/"
        self.list_sums()
        self.requested: list[str] = []
        self.cut: dict[str, int] = {}  # name -> bytes after which the next transfer breaks off
        self.wrong: dict[str, int] = {}  # name -> how many more times a damaged file is sent
        self.busy: dict[str, int] = {}  # name -> how many more times it is too busy
        handler = type("Handler", (_Handler,), {"server_state": self})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/files"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def list_sums(self):
        """Lists the checksums of all files as they are now."""
        self.files.pop(SUMS, None)
        self.files[SUMS] = "".join(
            f"{hashlib.sha256(data).hexdigest()} {name}\n" for name, data in self.files.items()
        ).encode()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_state: Server

    def do_GET(self):
        state = self.server_state
        assert self.path.startswith(state.folder)
        name = self.path.removeprefix(state.folder)
        state.requested.append(name)
        if name not in state.files:
            return self.send_error(404)
        if state.busy.get(name, 0) > 0:
            state.busy[name] -= 1
            return self.send_error(429)
        data = state.files[name]
        if state.wrong.get(name, 0) > 0:
            state.wrong[name] -= 1
            data = b"?" + data[1:]
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: state.cut.pop(name, len(data))])
        self.close_connection = True

    def log_message(self, *_):
        pass
