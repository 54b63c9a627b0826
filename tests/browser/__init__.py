"""The widget in a real JupyterLab: a real server, a real kernel, real Chromium."""
