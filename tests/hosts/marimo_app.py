"""The notebook that the tests open in marimo: what is typed into "Show" makes a chat, into "Run" runs in a cell."""

import marimo

app = marimo.App()


@app.cell
def _():
    import json

    import kernel_side
    import marimo as mo

    names = vars(kernel_side)
    return json, mo, names


@app.cell
def _(mo):
    shows, runs = mo.ui.text(label="Show"), mo.ui.text(label="Run")
    mo.hstack([shows, runs])
    return runs, shows


@app.cell
def _(json, names, shows):
    if shows.value:
        exec(json.loads(shows.value), names)
    names.get("chat")
    return


@app.cell
def _(json, mo, names, runs):
    mo.stop(not runs.value)
    exec(json.loads(runs.value), names)
    return


if __name__ == "__main__":
    app.run()
