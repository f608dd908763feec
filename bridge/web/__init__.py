"""What the bridge shows in a browser: the web chat, its history and the pages."""
