"""Networks: ids in, logits out, with the keys and values of what was read."""
