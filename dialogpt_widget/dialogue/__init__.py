"""What was said: turns, the tree they form, what of it the model sees, and one row for every token."""
