"""Writes rows of both widths, as the kernel packs them, with what they say, for `js/inspect/rows.test.js`.

python js/dev/rows.py > js/inspect/rowsfixture.json
"""

import base64
import json
import sys

import numpy as np

from dialogpt_widget.dialogue.tokens import ALTERNATIVES, FILTERS, NO_ID, ORIGINS, row_type
from dialogpt_widget.widget.streaming import pack


def main() -> None:
    made = []
    for wide in (False, True):
        source = np.random.default_rng(7)
        rows = np.zeros(4, row_type(100_000 if wide else 1000))
        top = 100_000 if wide else 1000
        for name in ("id", "rank", "kept"):
            rows[name] = source.integers(1, top, 4)
        for name in ("logprob", "logprob_used", "draw", "entropy", "entropy_used", "ms"):
            rows[name] = source.integers(-64, 64, 4) / 8
        rows["cut_count"] = source.integers(0, top, (4, len(FILTERS)))
        rows["cut_mass"] = source.integers(0, 8, (4, len(FILTERS))) / 8
        rows["alt_id"] = source.integers(0, top, (4, ALTERNATIVES))
        rows["alt_logprob"] = -source.integers(0, 80, (4, ALTERNATIVES)) / 8
        rows["alt_fate"] = source.integers(0, len(FILTERS) + 1, (4, ALTERNATIVES))
        rows["origin"] = range(len(ORIGINS))
        rows["eos"][3] = True
        rows["rank"][0] = 0
        rows["alt_id"][1, 7:] = NO_ID
        known = [
            {
                "id": int(row["id"]),
                "chars": place + 1,
                "origin": ORIGINS[row["origin"]],
                "eos": bool(row["eos"]),
                "scored": bool(row["rank"]),
                **{name: int(row[name]) for name in ("rank", "kept")},
                "logprob": float(row["logprob"]),
                "logprobUsed": float(row["logprob_used"]),
                "draw": float(row["draw"]),
                "entropy": float(row["entropy"]),
                "entropyUsed": float(row["entropy_used"]),
                "ms": float(row["ms"]),
                "cutCount": row["cut_count"].tolist(),
                "cutMass": row["cut_mass"].tolist(),
                "alternatives": [
                    {"id": own, "logprob": logprob, "fate": ("kept", *FILTERS)[fate]}
                    for own, logprob, fate in zip(
                        row["alt_id"].tolist(), row["alt_logprob"].tolist(), row["alt_fate"].tolist(), strict=True
                    )
                    if own != NO_ID
                ],
            }
            for place, row in enumerate(rows)
        ]
        for full in (False, True):
            data = base64.b64encode(pack(rows, range(1, 5), full=full)).decode()
            made.append({"wide": wide, "full": full, "data": data, "known": known})
    json.dump(made, sys.stdout, separators=(",", ":"))


main()
