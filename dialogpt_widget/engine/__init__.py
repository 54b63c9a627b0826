"""How a reply comes about: loading, the forward pass, decoding. Token ids only, nothing of chat."""
