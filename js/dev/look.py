"""Photographs every scene of the harness and runs axe-core on it.

    python js/dev/look.py FOLDER [SCENE ...]

Run it from the root of the repository, after `npm run build`.
"""

import functools
import http.server
import sys
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright

SCENES = """empty fresh loading talk details settings refused keep thinking stream queue error held window cut stopped
    long lost folded offline odd versions cutoff byhand hover edit editreply menu menulast compare forget elsewhere
    running cleared find waiting words card how dragged greedy record
    strip striporigin striplong context score deeper stripsaved
    slow slowpanel slowidle slowforce slowguess slowguessed projector projectorguess
    drafts ranking decided decide decidetwo decidebeam decidespared decidesaved decidehow decidesides compared
    comparedpanel""".split()
HOSTS = {
    "light": ("light", "jupyter-light"),
    "dark": ("dark", "jupyter-dark"),
    "own": ("light", ""),
    "owndark": ("dark", ""),
    "contrast": ("dark", "vscode-contrast"),
    "forced": ("dark", ""),
}
WIDTHS = {"wide": 1280, "narrow": 320}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def main(folder: str, scenes: list[str]) -> int:
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory="."))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    axe = Path("node_modules/axe-core/axe.min.js").read_text()
    bad = 0
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for look, (scheme, host) in HOSTS.items():
            for size, width in WIDTHS.items():
                page = browser.new_page(
                    viewport={"width": width, "height": 800},
                    color_scheme=scheme,
                    forced_colors="active" if look == "forced" else None,
                )
                page.on("pageerror", lambda error: print("page error:", error))
                for scene in scenes:
                    page.goto(f"http://127.0.0.1:{server.server_port}/js/dev/harness.html?scene={scene}&host={host}")
                    page.wait_for_function("window.ready")
                    page.wait_for_timeout(400)
                    page.screenshot(path=out / f"{scene}-{look}-{size}.png")
                    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                        bad += 1
                        print(f"{scene} {look} {size}: scrolls sideways")
                    if scene == "odd" and page.evaluate("window.hacked"):
                        bad += 1
                        print("a script in a message ran")
                    page.evaluate(axe)
                    seen = {"color-contrast": {"enabled": look != "forced"}}  # axe knows nothing of forced colours
                    result = page.evaluate("rules => axe.run('.dgpt', {rules})", seen)
                    for found in result["violations"]:
                        bad += 1
                        print(f"{scene} {look} {size}: {found['impact']} {found['id']}: {found['help']}")
                        for node in found["nodes"][:3]:
                            print("   ", node["html"][:120], (node["any"] or node["all"] or [{}])[0].get("message", ""))
                page.close()
        browser.close()
    server.shutdown()
    print(f"{len(scenes) * len(HOSTS) * len(WIDTHS)} looks, {bad} findings")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:] or SCENES))
