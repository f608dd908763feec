"""Whether the promise holds while processes die: real processes, a schedule of faults, one checker.

    schedule   one seed -> the load and the faults
    processes  the server, the ingresses and workers, each behind a proxy, all ended by pid
    sender     Moveo's side, platform the chat's side: both live in the test and survive
    history    the three logs: what was posted and answered, what was received, what was done to whom when
    checker    the logs -> findings; nothing in it knows how they came to be
    mutants    the bridge with one rule broken, which the checker must catch

`python -m tests.chaos --help` runs it for longer.
"""
