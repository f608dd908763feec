"""What can go wrong, what the bridge does then, and the tests that show it: the audit of its promise.

Each test fails without the code that it is about. `test_fault_table.py` sees to it that the tests exist.
"""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """`shown_by` are tests as pytest names them, without their parameters."""

    name: str
    behaviour: str
    shown_by: tuple[str, ...]


FAULTS = (
    Fault(
        "ingress: Redis is down, frozen, read-only, full, busy, loading, or has too many clients",
        "within a quarter of a second it is on disk and answered 2xx; probes say so; all drains in order",
        (
            "tests/ingress/test_spooling.py::test_it_costs_nothing",
            "tests/ingress/test_spooling.py::test_whatever_redis_says_instead",
            "tests/ingress/test_spooling.py::test_what_it_holds_is_to_be_seen",
            "tests/ingress/test_spooling.py::test_of_one_ingress_the_order_is_that_of_arrival",
            "tests/ingress/test_spooling.py::test_users_messages_too",
            "tests/ingress/test_webhooks.py::test_a_frozen_redis_is_a_503_within_the_bound",
            "tests/queue/test_faults.py::test_a_server_that_refuses_writes_is_unavailable",
            "tests/queue/test_faults.py::test_a_busy_server_is_unavailable",
            "tests/queue/test_faults.py::test_a_full_server_refuses_pushes_and_can_be_drained",
            "tests/chaos/test_chaos.py::test_an_outage_of_redis_costs_neither_an_event_nor_an_answer_nor_the_order",
        ),
    ),
    Fault(
        "Redis dies between a script and its reply",
        "the retry finds what was done: no duplicate",
        (
            "tests/ingress/test_spooling.py::test_a_push_that_seemed_to_fail_is_not_doubled",
            "tests/queue/test_faults.py::test_a_timed_out_push_that_landed_is_recognised",
        ),
    ),
    Fault(
        "ingress is killed after the push and before its answer",
        "the sender's retry is recognised: one delivery",
        ("tests/chaos/test_failpoints.py::test_an_ingress_killed_at_a_step_costs_nothing",),
    ),
    Fault(
        "ingress is killed while it writes to disk",
        "what was acknowledged is delivered, a torn end is dropped by its checksum; two never share a folder",
        (
            "tests/chaos/test_failpoints.py::test_an_ingress_killed_at_a_step_costs_nothing",
            "tests/ingress/test_spooling.py::test_what_a_killed_ingress_had_acknowledged_is_delivered",
            "tests/ingress/test_spooling.py::test_a_second_ingress_on_the_folder_does_not_start",
            "tests/ingress/spool/test_log.py::test_a_torn_last_frame_is_dropped_and_kept_aside",
            "tests/ingress/spool/test_log.py::test_the_lock_ends_with_its_process",
        ),
    ),
    Fault(
        "the disk is full, or does not take what is written",
        "503, and never a false 2xx",
        (
            "tests/ingress/test_spooling.py::test_a_full_disk_is_a_503_and_what_was_acknowledged_is_there",
            "tests/ingress/test_spooling.py::test_a_full_spool_is_a_503_and_no_lie",
            "tests/ingress/spool/test_spool.py::test_a_disk_that_refuses_is_no_false_promise",
        ),
    ),
    Fault(
        "Redis is killed and comes back under workers",
        "no process ends; the first delivery follows within two seconds",
        (
            "tests/workers/test_process.py::test_redis_restarting_ends_no_process",
            "tests/chaos/test_chaos.py::test_5000_events_survive_40_kills_in_order",
        ),
    ),
    Fault(
        "the master behind an address is demoted and stays reachable; the address leads to the new master",
        "the first write that is refused closes all connections of its client; all goes on at the new master",
        (
            "tests/workers/test_failover.py::test_every_connection_moves_to_the_new_master",
            "tests/queue/test_connection.py::test_a_reply_about_the_server_is_the_last_on_its_connection",
            "tests/queue/test_connection.py::test_connections_that_idle_are_left_with_the_one_that_was_refused",
            "tests/ingress/test_admin.py::test_a_redis_that_answers_and_refuses_writes_is_a_problem",
        ),
    ),
    Fault(
        "the new master has another password or other permissions",
        "no process ends, probes say so, and work goes on once it lets the bridge in",
        (
            "tests/workers/test_failover.py::test_a_new_master_that_lets_nobody_in_ends_no_process",
            "tests/workers/test_jobs.py::test_a_permission_is_waited_for_if_it_was_there_before",
        ),
    ),
    Fault(
        "Redis forgets its scripts, or everything",
        "scripts are loaded again; nobody ends or hangs",
        (
            "tests/workers/test_flushed.py::test_scripts_are_loaded_again_and_work_goes_on",
            "tests/queue/test_faults.py::test_flushall_loses_what_it_must_and_nothing_breaks",
        ),
    ),
    Fault(
        "a worker is killed before it sends",
        "another has its sessions at the end of the lease; nothing is repeated",
        (
            "tests/chaos/test_failpoints.py::test_a_worker_killed_at_a_step_repeats_at_most_the_part_in_flight",
            "tests/workers/test_process.py::test_a_killed_worker_loses_nothing_and_repeats_only_what_was_in_flight",
        ),
    ),
    Fault(
        "a worker is killed between a send and the cursor",
        "that part again, by the same idempotency key, and nothing else",
        (
            "tests/chaos/test_failpoints.py::test_a_worker_killed_at_a_step_repeats_at_most_the_part_in_flight",
            "tests/test_loop.py::test_500_chats_are_answered_in_order_while_workers_are_killed",
        ),
    ),
    Fault(
        "a worker is told to stop",
        "it claims no more, finishes the part in flight, hands over at once, ends with 0 within ten seconds",
        (
            "tests/workers/test_process.py::test_sigterm_hands_over_at_once_and_costs_no_try",
            "tests/workers/test_process.py::test_a_worker_ends_though_redis_hangs",
            "tests/workers/test_dispatch.py::test_stopping_finishes_the_part_in_flight_and_hands_over_the_rest",
            "tests/chaos/test_chaos.py::test_rolling_restarts_lose_and_repeat_nothing",
        ),
    ),
    Fault(
        "a process is sent SIGHUP: its terminal is closed, or somebody means a reload",
        "it stops as at SIGTERM, and its log names the signal; under nohup it goes on",
        (
            "tests/ingress/test_server.py::test_a_signal_lets_the_request_in_flight_finish",
            "tests/ingress/test_server.py::test_nohup_keeps_a_process_running",
            "tests/workers/test_process.py::test_sighup_finishes_the_part_in_flight_and_is_logged",
            "tests/workers/test_process.py::test_nohup_keeps_a_worker_running",
            "tests/test_demo.py::test_sighup_stops_each_part_in_order",
        ),
    ),
    Fault(
        "Redis, or the whole machine, stands still for longer than a lease, then goes on",
        "who lives speaks before others claim what it holds: nothing is sent again or counts as a crash",
        (
            "tests/chaos/test_chaos.py::test_a_server_that_stood_still_for_longer_than_a_lease_repeats_nothing",
            "tests/chaos/test_mutants.py::test_the_checker_catches",
            "tests/queue/test_turn.py::test_a_turn_that_comes_too_late_settles_and_claims_nothing",
            "tests/workers/test_contact.py::test_what_was_heard_is_good_for_most_of_a_lease",
        ),
    ),
    Fault(
        "a worker is frozen past its lease, then goes on",
        "its settles are refused, and before another send it finds out and stops",
        (
            "tests/workers/test_process.py::test_a_frozen_worker_sends_nothing_new_when_it_wakes",
            "tests/workers/test_dispatch.py::test_a_holder_that_was_overtaken_stops_before_its_next_send",
            "tests/workers/test_poison.py::test_a_worker_that_was_frozen_is_not_hung",
            "tests/queue/test_fencing.py::test_a_zombie_is_refused_after_another_claimed",
        ),
    ),
    Fault(
        "a renderer blocks the event loop, hangs, or ends the process",
        "the claim counts as a try; after the limit that event is buried, alone, and its session goes on",
        (
            "tests/workers/test_poison.py::test_an_event_that_ends_its_worker_is_buried_and_nobody_else_is",
            "tests/workers/test_poison.py::test_a_worker_that_hangs_ends_itself_and_its_successor_goes_on",
            "tests/workers/test_poison.py::test_a_loop_that_is_blocked_past_its_leases_sends_nothing_that_others_have",
        ),
    ),
    Fault(
        "a plug-in cannot work: async methods, Settings that are no Struct, limits that no platform can mean",
        "it is refused when it is loaded, in one line with file and line; other channels are not affected",
        (
            "tests/channels/test_plugins.py::test_a_method_is_a_plain_function",
            "tests/channels/test_plugins.py::test_what_is_wrong_is_named_with_its_line",
            "tests/channels/test_plugins.py::test_a_capability_that_no_platform_can_mean",
            "tests/channels/test_degrade.py::test_the_smallest_limits_end_too",
            "tests/cli/test_channels_command.py::test_a_broken_plug_in_is_named_and_stops_no_other",
            "tests/cli/test_check.py::test_a_wrong_plug_in_is_one_line_and_the_rest_is_checked",
            "tests/ingress/test_plugins.py::test_an_async_verify_starts_no_ingress",
            "tests/workers/test_plugins.py::test_an_async_check_starts_no_worker",
        ),
    ),
    Fault(
        "a plug-in returns a coroutine, or anything else that it must not",
        "only True verifies, nothing counts as sent, what was not read is kept; each names file and line",
        (
            "tests/channels/test_guard.py::test_a_wrong_result_names_method_and_place",
            "tests/channels/test_guard.py::test_what_is_wrong_in_a_result",
            "tests/ingress/test_plugins.py::test_what_is_not_true_lets_nobody_in",
            "tests/ingress/test_plugins.py::test_what_is_not_read_is_kept_with_the_place_in_the_log",
            "tests/workers/test_plugins.py::test_a_failure_is_not_a_delivery",
            "tests/workers/test_plugins.py::test_after_a_few_tries_it_is_a_dead_letter_that_says_where",
        ),
    ),
    Fault(
        "a field of 100 kB repeats what a regular expression looks for",
        "each expression, each channel's rendering and each webhook's reading takes time in proportion",
        (
            "tests/test_regexes.py::test_every_regular_expression_is_linear",
            "tests/test_regexes.py::test_no_field_of_an_event_stalls_its_reading",
            "tests/test_regexes.py::test_no_field_of_an_event_stalls_a_worker",
            "tests/test_regexes.py::test_no_field_that_a_platform_tells_stalls_the_ingress",
            "tests/test_bounds.py::test_the_largest_event_that_is_taken_stalls_no_worker",
        ),
    ),
    Fault(
        "the clock of one machine is wrong",
        "leases, waits and ages go by Redis; what is signed and stale is counted, said and kept",
        (
            "tests/workers/test_wrong_clock.py::test_a_worker_with_a_wrong_clock_works_as_any",
            "tests/workers/test_wrong_clock.py::test_an_ingress_with_a_wrong_clock_knows_new_from_stale",
            "tests/queue/test_clock.py::test_it_is_that_of_the_server",
        ),
    ),
    Fault(
        "the platform says 429",
        "its wait is kept exactly, costs no try, and holds the chat or the channel as it means it",
        (
            "tests/workers/test_deliver.py::test_retry_after_is_obeyed_and_costs_no_try",
            "tests/workers/test_holds.py::test_a_wait_is_to_the_moment_also_over_a_restart",
            "tests/workers/test_holds.py::test_a_chats_limit_holds_the_chat_in_all_its_sessions",
            "tests/workers/test_dispatch.py::test_the_limit_of_a_channel_holds_all_its_sessions",
        ),
    ),
    Fault(
        "the platform says 5xx, refuses connections, cannot be found, has no TLS, does not answer the call",
        "later and later, with full jitter, up to the maximum age; the breaker of the integration opens",
        (
            "tests/workers/test_retry.py::test_what_becomes_of_it",
            "tests/workers/test_retry.py::test_jitter_is_full",
            "tests/workers/test_platform_down.py::test_an_outage_costs_few_calls_and_no_order",
            "tests/queue/test_breaker.py::test_one_probes_for_all",
            "tests/test_sender.py::test_a_refused_connection_is_unavailable",
            "tests/test_sender.py::test_an_unknown_name_is_unavailable",
            "tests/test_sender.py::test_a_peer_without_tls_is_unavailable",
            "tests/test_sender.py::test_no_connection_in_time_is_unavailable",
        ),
    ),
    Fault(
        "the connection breaks, or nothing comes back, after the request was written",
        "uncertain: sent again, or held as a dead letter, as the integration says; counted",
        (
            "tests/workers/test_letters.py::test_what_may_have_arrived_is_held_where_that_is_asked_for",
            "tests/workers/test_letters.py::test_it_is_sent_again_where_nothing_else_is_said",
            "tests/workers/test_letters.py::test_it_is_sent_again_where_a_repeat_is_shown_once",
            "tests/test_sender.py::test_what_was_written_and_not_answered_is_uncertain",
        ),
    ),
    Fault(
        "the platform refuses for good: user gone, bad request; or the token",
        "a dead letter, and the session goes on; a bad token pauses the integration loudly",
        (
            "tests/workers/test_deliver.py::test_a_refused_message_is_kept_and_the_session_goes_on",
            "tests/workers/test_platform_down.py::test_a_bad_token_pauses_loudly_and_resume_goes_on_at_once",
            "tests/workers/test_letters.py::test_a_replayed_letter_goes_out_before_newer_events_that_still_wait",
        ),
    ),
    Fault(
        "a platform refuses, and may mean one person or the whole account",
        "other chats decide: one that gets through buries it, three refused in a row pause the integration",
        (
            "tests/workers/test_trouble.py::test_a_person_who_receives_no_messages_stops_nobody",
            "tests/workers/test_trouble.py::test_three_of_them_in_a_row_pause_and_a_resume_finds_out",
            "tests/workers/test_trouble.py::test_one_chat_alone_is_given_up_after_a_while",
            "tests/queue/test_refusals.py::test_three_chats_in_a_row_pause_the_queue_once",
            "tests/queue/test_refusals.py::test_closed_chats_do_not_pause_the_queue",
            "tests/workers/test_platforms.py::test_an_unclear_refusal_is_buried_when_another_chat_gets_through",
        ),
    ),
    Fault(
        "some chats meet limits of their own, or always fail",
        "each backs off by itself; the breaker probes with chats that have not failed lately",
        (
            "tests/workers/test_trouble.py::test_a_limit_of_twenty_chats_delays_no_other_chat",
            "tests/workers/test_trouble.py::test_ten_chats_that_always_fail_delay_no_other_chat",
            "tests/queue/test_breaker.py::test_the_probe_is_of_a_session_that_has_not_failed_lately",
            "tests/queue/test_breaker.py::test_failures_from_before_the_opening_are_remembered",
            "tests/queue/test_breaker.py::test_chats_that_always_fail_delay_no_other_chat",
        ),
    ),
    Fault(
        "200 with an error inside",
        "the channel reads it as what it is",
        ("tests/channels/test_slack.py::test_a_no_says_what_to_do_next",),
    ),
    Fault(
        "the platform hangs, drips, sends without end, redirects",
        "a bound on the whole time and on what is read; redirects are not followed",
        (
            "tests/hostile/test_replies.py::test_a_call_ends_as_what_is_known_of_it",
            "tests/test_sender.py::test_a_reply_is_read_up_to_a_bound",
        ),
    ),
    Fault(
        "a person answers a list of options by typing, and the labels begin with digits",
        "the lines have letters; labels and texts are compared before numbers and letters",
        (
            "tests/workers/test_typed_answers.py::test_what_is_typed_is_the_option_that_is_meant",
            "tests/channels/test_choices.py::test_every_option_can_be_chosen_by_its_line",
            "tests/channels/test_degrade.py::test_a_digit_at_the_beginning_of_one_label_gives_all_lines_of_the_event_letters",
        ),
    ),
    Fault(
        "a webhook comes twice",
        "200, counted, delivered once",
        (
            "tests/ingress/test_webhooks.py::test_a_repeat_is_answered_200_and_queued_once",
            "tests/ingress/test_spooling.py::test_a_repeated_webhook_is_delivered_once",
        ),
    ),
    Fault(
        "one session floods",
        "the others are served meanwhile; what is ephemeral is shed, the rest is kept",
        (
            "tests/workers/test_flood.py::test_while_one_session_floods_the_others_are_served",
            "tests/queue/test_push.py::test_what_is_ephemeral_is_shed_where_it_would_come_too_late",
            "tests/queue/test_push.py::test_a_flooded_session_keeps_what_is_too_much_as_dead_letters",
        ),
    ),
    Fault(
        "Redis is full (maxmemory, noeviction) of waiting events, or of anything else",
        "workers deliver what waits in it, with its notes; a new web chat waits for room; nothing is lost",
        (
            "tests/workers/test_full.py::test_waiting_events_that_filled_it_are_delivered_in_order_by_a_fresh_worker",
            "tests/workers/test_full.py::test_users_get_one_session_each_and_all_they_said_while_it_stays_full",
            "tests/workers/test_full.py::test_buttons_go_out_while_it_is_full_and_mean_what_they_said",
            "tests/workers/test_full.py::test_the_web_chat_goes_on_while_it_is_full_and_new_chats_wait_for_room",
            "tests/workers/test_full.py::test_a_worker_on_a_full_server_is_seen_says_so_once_and_ends_in_order",
            "tests/workers/test_jobs.py::test_a_full_server_keeps_arq_from_nothing",
            "tests/cli/test_full.py::test_a_full_server_shows_its_queues_and_letters_and_gives_them_back",
        ),
    ),
    Fault(
        "Redis does not store the session that Moveo made for a chat, or the worker is killed after it did",
        "the session is used by the next try: no other is made, and the message arrives once",
        (
            "tests/workers/test_receive.py::test_a_session_whose_link_was_not_stored_is_used_by_the_next_try",
            "tests/workers/test_full.py::test_a_session_outlives_a_worker_killed_before_the_message",
        ),
    ),
    Fault(
        "thousands of sessions come and go",
        "no key is left",
        ("tests/queue/test_faults.py::test_sessions_that_come_and_go_leave_no_keys",),
    ),
    Fault(
        "strangers hold connections: event streams, bodies that do not end, files that nobody reads",
        "streams have half of the connections; what else takes long makes room; every webhook is taken",
        (
            "tests/hostile/test_streams.py::test_streams_of_strangers_leave_room_for_webhooks",
            "tests/hostile/test_streams.py::test_whatever_else_strangers_do_leaves_room_for_webhooks",
            "tests/hostile/test_slow.py::test_who_follows_a_chat_is_not_sent_away_for_a_newcomer",
            "tests/web/test_chat_streams.py::test_an_address_has_a_share_where_a_trusted_proxy_names_it",
        ),
    ),
    Fault(
        "requests too large, endless, slow, packed, deep, no UTF-8, of numbers or types nobody expects",
        "413, 408, 415, or 2xx and kept; never a 5xx, never an exception that nobody caught",
        (
            "tests/hostile/test_fuzz.py::test_whatever_comes_is_answered_as_it_deserves",
            "tests/hostile/test_fuzz.py::test_whatever_is_signed_is_kept",
            "tests/hostile/test_slow.py::test_slow_clients_are_let_go_and_others_are_served",
            "tests/hostile/test_framing.py::test_a_flood_of_chunks_ends_at_the_bound",
            "tests/ingress/test_webhooks.py::test_a_chunked_body_over_the_limit_is_refused",
        ),
    ),
)
