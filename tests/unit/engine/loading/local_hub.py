"""A hub of one's own on 127.0.0.1: the few endpoints that looking up and downloading a model need."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

COMMIT = "d" * 40
SCRIPT = """
import json, sys, time
time.sleep = lambda seconds: None  # huggingface_hub waits between its attempts
from dialogpt_widget.errors import ModelError
from dialogpt_widget.engine.model import ChatModel
for name in json.loads(sys.argv[1]):
    told = []
    try:
        model = ChatModel.from_pretrained(name, device="cpu", progress=lambda *step: told.append(step))
        print(json.dumps({"name": model.name, "revision": model.revision, "told": told, "ids": model.encode("Hi!")}))
    except ModelError as error:
        print(json.dumps({"kind": error.kind, "message": str(error), "offers": error.offers, "told": told}))
"""


class Hub:
    """Serves the files of a folder as `someone/model`.

    Attributes:
        requests: method and path of each request so far.
        dies_after: bytes of a file named in `fragile` after which the server falls silent; None for never.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        self.files = {file.name: file.read_bytes() for file in folder.iterdir()}
        self.cache = cache
        self.requests: list[tuple[str, str]] = []
        self.fragile, self.dies_after = "", None
        self.dead = False
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                hub.answer(self)

            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        self.requests.append((to.command, to.path))
        if self.dead:
            to.close_connection = True
            return
        path = to.path.partition("?")[0]
        name = path.rpartition("/")[2]
        if path.startswith("/api/models/someone/model"):
            siblings = [{"rfilename": file, "size": len(data)} for file, data in self.files.items()]
            answer = {
                "id": "someone/model",
                "modelId": "someone/model",
                "sha": COMMIT,
                "siblings": siblings,
                "tags": [],
            }
            self.send(to, 200, json.dumps(answer).encode(), {})
        elif path.startswith("/someone/model/resolve/") and name in self.files:
            self.send_file(to, name)
        else:
            self.send(to, 404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def send_file(self, to: BaseHTTPRequestHandler, name: str) -> None:
        data = self.files[name]
        headers = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        start = int((to.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        if name == self.fragile and to.command == "GET" and self.dies_after is not None:
            to.send_response(200)
            to.send_header("Content-Length", str(len(data)))
            to.end_headers()
            to.wfile.write(data[: self.dies_after])
            self.dead = to.close_connection = True
            return
        self.send(to, 206 if start else 200, data[start:], headers)

    def send(self, to: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
        to.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            to.send_header(name, value)
        to.end_headers()
        if to.command == "GET":
            to.wfile.write(body)

    def load(self, *names: str, **environment: str) -> list[dict[str, Any]]:
        """What a fresh process gets that loads these names one after another."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        port = self.server.server_address[1]
        there = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(self.cache), "HF_HUB_DISABLE_XET": "1"}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, json.dumps(names)],
            env=outside | there | {"NO_PROXY": "127.0.0.1", "OMP_NUM_THREADS": "1"} | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]
