"""From logits to replies."""
