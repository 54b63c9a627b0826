"""Training of dialogue models; run it as `python -m dialogpt_widget.training`."""
