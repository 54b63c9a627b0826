"""No test reaches the network or the caches of whoever runs it; the environment is set before any library reads it."""

from __future__ import annotations

import os
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="hub-")
os.environ["TOKENIZERS_PARALLELISM"] = "false"
for _name in ("HF_ENDPOINT", "HF_HUB_CACHE", "HF_TOKEN"):
    os.environ.pop(_name, None)
