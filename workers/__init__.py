"""The worker process: arq hosts it, dispatchers claim from the queues, handlers deliver and receive."""
