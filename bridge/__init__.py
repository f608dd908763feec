"""moveo-bridge: from Moveo.AI's custom-integration webhook to a chat app, and back."""

__version__ = "0.1.0"
