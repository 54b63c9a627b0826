"""What a process has in memory, and what of it is its own, from Linux's account of its mappings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_HEAD = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping: the file it is of, or what the kernel calls it; bytes in memory.

    Attributes:
        pss: proportional: what n processes share counts as an n-th.
    """

    path: str
    rss: int
    pss: int
    anonymous: int


def mappings(text: str) -> list[Mapping]:
    """What a `/proc/<pid>/smaps` says."""
    found: list[Mapping] = []
    path, fields = "", {"Rss": 0, "Pss": 0, "Anonymous": 0}
    begun = False
    for line in [*text.splitlines(), "0-0 - - - 0 "]:
        head = _HEAD.match(line)
        if head is None:
            name, _, value = line.partition(":")
            if name in fields:
                fields[name] = int(value.split()[0]) * 1024
            continue
        if begun:
            found.append(Mapping(path, fields["Rss"], fields["Pss"], fields["Anonymous"]))
        path, fields, begun = head[1], dict.fromkeys(fields, 0), True
    return found


def of_process(pid: int) -> list[Mapping]:
    """The mappings of a running process."""
    return mappings(Path(f"/proc/{pid}/smaps").read_text())


def pss(of: list[Mapping], matching: Callable[[str], bool]) -> int:
    """Proportional bytes of the mappings whose path matches."""
    return sum(one.pss for one in of if matching(one.path))


def anonymous(of: list[Mapping]) -> int:
    """Bytes that are of no file."""
    return sum(one.anonymous for one in of)
