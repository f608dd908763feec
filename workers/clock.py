from bridge.queue.clock import Clock as Clock
