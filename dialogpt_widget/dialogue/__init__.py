"""What was said: turns, the tree they form, what of it the model sees, one row for every token. No torch."""
