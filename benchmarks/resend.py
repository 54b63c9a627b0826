"""What the kernel runs for `benchmarks.wire`: a widget that sends its whole reply again with each token, and clocks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import anywidget
import traitlets
from kernel_side import Scripted, words

from dialogpt_widget.engine.generation.trace import Token

PAGE = """
export default {
  render({ model, el }) {
    const box = document.createElement("input"), reply = document.createElement("pre");
    box.setAttribute("aria-label", "Ask");
    reply.className = "resent";
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      box.value = "";
      model.send({ ask: true });
    });
    model.on("change:text", () => { reply.textContent = model.get("text"); });
    el.append(box, reply);
  },
};
"""


class Stamped(Scripted):
    """A scripted model that notes when it handed out each token, in seconds since the epoch."""

    def __init__(self, tokens: int, rate: float) -> None:
        super().__init__([words(tokens)], rate)
        self.moments: list[float] = []

    def generate(self, *given: Any, **more: Any) -> Iterator[Token]:
        """See `ChatModel.generate`."""
        self.moments = []
        for token in super().generate(*given, **more):
            self.moments.append(time.time())
            yield token


class Resending(anywidget.AnyWidget):
    """A chat as it is first written: a trait holds the reply, and each token sets it."""

    _esm = PAGE
    text = traitlets.Unicode().tag(sync=True)

    def __init__(self, tokens: int, rate: float) -> None:
        super().__init__()
        self.moments: list[float] = []
        self._words, self._rate = words(tokens), rate
        self.on_msg(lambda *_: threading.Thread(target=self._reply).start())

    def clear(self) -> None:
        """Forgets the reply."""
        self.text, self.moments = "", []

    def _reply(self) -> None:
        began = time.monotonic()
        for place, word in enumerate(self._words):
            time.sleep(max(0.0, began + place / self._rate - time.monotonic()))
            self.moments.append(time.time())
            self.text += word
