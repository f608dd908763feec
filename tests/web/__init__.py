"""The web chat: its history, its streams, its routes, its page."""
