"""The server's side of the stand-in: it stands between a kernel and the pages, and drops what Colab drops."""

from __future__ import annotations

import ast
import asyncio
import base64
import contextlib
import copy
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from queue import Empty
from typing import Any

from browser.lab import kernel_environment
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

PAGES = Path(__file__).parent
VIEW = "application/vnd.jupyter.widget-view+json"
MANAGER = "https://colab.invalid/manager.js"  # what the output of a custom widget names there; nobody fetches it
_AS_IN_COLAB = f"""
import sys, time, types
for _name in ("google", "google.colab", "google.colab.output"):
    sys.modules[_name] = types.ModuleType(_name)
sys.modules["google.colab.output"].enable_custom_widget_manager = lambda: None
sys.modules["google.colab.output"]._widgets = types.SimpleNamespace(_installed_url={MANAGER!r})
from kernel_side import *
"""


class Cell:
    """A cell that has run, or runs: its outputs, and its request's id."""

    def __init__(self, request: str) -> None:
        self.request = request
        self.outputs: list[dict[str, Any]] = []
        self.ended = asyncio.Event()


class Bridge:
    """A kernel and the pages that show it.

    What the kernel says reaches a page only while the request that it belongs to is being handled: a message that a
    thread sends between requests is dropped. Models are not shared: each output begins with the state that its widget
    had when it was displayed, as far as the pages know it, even after a reload.
    """

    def __init__(self) -> None:
        self.port = 0
        self.cells: list[Cell] = []
        self.dropped = 0
        self._handled: set[str] = set()
        self._models: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._pages: set[_Socket] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, python: Path, folder: Path) -> None:
        """Starts the kernel and the server."""
        self._kernel = AsyncKernelManager()
        command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self._kernel._kernel_spec = KernelSpec(argv=command, display_name="Colab", language="python")
        own = {**kernel_environment(folder), "IPYTHONDIR": str(folder)}
        await self._kernel.start_kernel(env=os.environ | own, cwd=str(folder))
        self._client = self._kernel.client()
        self._client.start_channels()
        await self._client.wait_for_ready(timeout=60)
        self._tasks = [asyncio.create_task(work) for work in (self._hear(), self._collect())]
        for task in self._tasks:
            task.add_done_callback(self._deaf)
        pages = [(f"/({page.name})?", _Page, {"bridge": self}) for page in PAGES.glob("*.html")]
        application = Application([("/socket", _Socket, {"bridge": self}), *pages])
        sockets = bind_sockets(0, "127.0.0.1")
        self.port = sockets[0].getsockname()[1]
        self._server = HTTPServer(application)
        self._server.add_sockets(sockets)
        await self.execute(_AS_IN_COLAB, wait=True)
        self.cells.clear()

    async def stop(self) -> None:
        """Ends both."""
        self._server.stop()
        for task in self._tasks:
            task.cancel()
        self._client.stop_channels()
        await self._kernel.shutdown_kernel(now=True)

    async def execute(self, source: str, *, wait: bool) -> int:
        """Runs a new cell and returns its number.

        Raises:
            AssertionError: it failed.
        """
        self._check_hearing()
        cell = Cell(self._client.execute(source, allow_stdin=False))
        self.cells.append(cell)
        if wait:
            await cell.ended.wait()
            errors = [output for output in cell.outputs if output["type"] == "error"]
            assert not errors, "\n".join(errors[0]["content"]["traceback"])
        return len(self.cells) - 1

    async def evaluate(self, value: str) -> Any:
        """The value of an expression, by way of JSON, once the kernel is free."""
        self._check_hearing()
        wanted = {"value": f"__import__('json').dumps({value})"}
        request = self._client.execute("", silent=True, user_expressions=wanted, allow_stdin=False)
        self._answers[request] = asyncio.get_running_loop().create_future()
        answer = (await self._answers[request])["user_expressions"]["value"]
        assert answer["status"] == "ok", answer
        return json.loads(ast.literal_eval(answer["data"]["text/plain"]))

    async def condition(self) -> str:
        """What is known of the kernel, for who waits in vain for it."""
        alive = "lives" if await self._kernel.is_alive() else "has ended"
        heard = f"{len(self._handled)} requests begun and not ended, {len(self._answers)} not answered"
        return f"The kernel {alive}; {heard}; dropped {self.dropped} messages; {self._tasks}"

    def _deaf(self, task: asyncio.Task[None]) -> None:
        """A reader of what the kernel says has ended: who waits for an answer is told why."""
        reason = None if task.cancelled() else task.exception()
        for waiting in self._answers.values():
            if reason is not None and not waiting.done():
                waiting.set_exception(reason)

    def _check_hearing(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()

    async def clear(self) -> None:
        """Forgets the cells."""
        self.cells.clear()
        self._tell({"type": "cells", "cells": []})

    def joined(self, page: _Socket) -> None:
        """A page has opened."""
        self._pages.add(page)
        page.tell({"type": "cells", "cells": [cell.outputs for cell in self.cells]})

    def left(self, page: _Socket) -> None:
        """A page has gone."""
        self._pages.discard(page)

    def said(self, message: dict[str, Any]) -> None:
        """A page sends something to a widget; the kernel hears it after the running cell."""
        content = {"comm_id": message["model"], "data": message["data"]}
        request = self._client.session.msg("comm_msg", content)
        request["buffers"] = [base64.b64decode(buffer) for buffer in message["buffers"]]
        self._client.shell_channel.send(request)

    async def _collect(self) -> None:
        while True:
            message = await _next(self._client.get_shell_msg)
            waiting = self._answers.pop(message["parent_header"].get("msg_id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message["content"])

    async def _hear(self) -> None:
        while True:
            message = await _next(self._client.get_iopub_msg)
            request, kind, content = message["parent_header"].get("msg_id"), message["msg_type"], message["content"]
            if kind == "status":
                self._state(request, content["execution_state"])
            elif request not in self._handled:
                self.dropped += 1
            elif kind.startswith("comm_"):
                self._comm(kind, content, [base64.b64encode(buffer).decode() for buffer in message["buffers"]])
            elif kind in ("display_data", "execute_result", "error", "update_display_data", "stream"):
                self._output(request, kind, content)

    def _state(self, request: str, state: str) -> None:
        if state == "busy":
            self._handled.add(request)
            return
        self._handled.discard(request)
        for cell in self.cells:
            if cell.request == request:
                cell.ended.set()

    def _comm(self, kind: str, content: dict[str, Any], buffers: list[str]) -> None:
        model, data = content["comm_id"], content.get("data", {})
        if kind == "comm_open":
            self._models[model] = dict(data["state"])
        elif kind == "comm_msg" and data["method"] == "update":
            self._models[model] |= data["state"]
        self._tell({"type": kind, "model": model, "data": data, "buffers": buffers})

    def _output(self, request: str, kind: str, content: dict[str, Any]) -> None:
        place = next((place for place, cell in enumerate(self.cells) if cell.request == request), None)
        shown = content.get("transient", {}).get("display_id")
        output = {"type": kind, "content": content, "id": shown}
        if kind == "update_display_data":
            for cell in self.cells:
                for old in cell.outputs:
                    if old["id"] == shown:
                        old["content"] = content
        elif place is not None:
            model = content.get("data", {}).get(VIEW, {}).get("model_id")
            output["state"] = copy.deepcopy(self._models.get(model))
            self.cells[place].outputs.append(output)
        self._tell({"type": "output", "cell": place, "output": output})

    def _tell(self, message: dict[str, Any]) -> None:
        for page in self._pages:
            page.tell(message)


async def _next(get: Callable[..., Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """The next message of a channel, which says that it is empty where it was woken for nothing."""
    while True:
        try:
            return await get(timeout=None)
        except Empty:
            continue


class _Page(RequestHandler):
    def initialize(self, bridge: Bridge) -> None:
        del bridge

    def get(self, name: str | None) -> None:
        self.write((PAGES / (name or "page.html")).read_text())


class _Socket(WebSocketHandler):
    def initialize(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def open(self) -> None:
        self._bridge.joined(self)

    def on_message(self, message: str | bytes) -> None:
        self._bridge.said(json.loads(message))

    def on_close(self) -> None:
        self._bridge.left(self)

    def tell(self, message: dict[str, Any]) -> None:
        """Sends something to the page, unless it is about to leave."""
        with contextlib.suppress(WebSocketClosedError):
            self.write_message(json.dumps(message, default=str))
