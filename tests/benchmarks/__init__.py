"""`python -m tests.benchmarks`: what the bridge costs, each figure against a base line of its run.

CPU seconds of one process, never wall time: the machine may be busy, the work done is the same. Base line and
subject take turns, and the median of the pairs counts. Nothing here is a test, and no test is timed.
"""
