"""How a chat is seen and steered from a notebook."""
