"""The ingress process: takes webhooks of Moveo and of platforms, and answers 2xx once they are in Redis."""
