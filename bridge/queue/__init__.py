"""The queue: one FIFO a session, settled and claimed in one round trip. See bridge.queue.queue for its rules."""
