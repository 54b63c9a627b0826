"""One behaviour, many hosts: JupyterLab, Notebook, marimo, a stand-in for Colab, Voila and nbconvert."""
