"""The spool's folder: what is acknowledged is there again, whatever ended the process."""

from __future__ import annotations

import errno
import os
import random
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import ConfigError
from bridge.ingress.spool import Frame, Log
from bridge.ingress.spool.frames import HEAD, body_length, pack, unpack
from bridge.ingress.spool.log import SEGMENT_BYTES


def frame(n: int, payload: bytes = b"") -> Frame:
    return Frame("support", "out", b"s", payload or b"%d" % n, n)


def payloads(log: Log, most: int = 1000) -> list[bytes]:
    return [each.payload for each in log.read(most)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@contextmanager
def opened(folder: Path) -> Iterator[Log]:
    with closing(Log(folder)) as log:
        yield log


@given(
    st.builds(
        Frame,
        st.text(max_size=5),
        st.sampled_from(["in", "out"]),
        st.binary(max_size=9),
        st.binary(max_size=99),
        st.integers(0, 2**53),
        st.one_of(st.none(), st.integers(0, 2**53)),
        st.one_of(st.none(), st.binary(max_size=16)),
        st.text(max_size=5),
    )
)
def test_a_frame_comes_back_as_it_was(made: Frame) -> None:
    packed = pack(made)
    assert body_length(packed[:HEAD]) == len(packed) - HEAD
    assert unpack(packed[:HEAD], packed[HEAD:]) == made


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, by: int) -> None:
    packed = bytearray(pack(frame(1, b"x" * 40)))
    packed[at] ^= by
    head, body = bytes(packed[:HEAD]), bytes(packed[HEAD:])
    assert body_length(head) != len(body) or unpack(head, body) is None


def test_frames_are_read_in_their_order_and_once(folder: Path) -> None:
    with opened(folder) as log:
        assert log.read_all
        log.append([frame(1), frame(2)])
        log.append([frame(3)])
        assert (log.events, log.oldest_at, log.read_all) == (3, 1, False)
        assert payloads(log, 2) == [b"1", b"2"]
        assert payloads(log, 2) == [b"3"]
        assert payloads(log) == []
        log.rewind()
        assert payloads(log, 1) == [b"1"]
        log.settle()
        assert (log.events, payloads(log)) == (2, [b"2", b"3"])
        log.rewind()
        assert payloads(log) == [b"2", b"3"]
        log.settle()
        assert (log.events, log.size, log.oldest_at, log.read_all) == (0, 0, None, True)


def test_an_empty_spool_leaves_nothing_of_what_was_said(folder: Path) -> None:
    with opened(folder) as log:
        log.append([frame(1)])
        log.read(9)
        log.settle()
    assert {each.name for each in folder.iterdir()} == {"lock", "position"}


def test_what_is_not_settled_is_there_for_the_next_process(folder: Path) -> None:
    with opened(folder) as log:
        log.append([frame(n) for n in range(5)])
        log.read(2)
        log.settle()
        log.read(1)
    with opened(folder) as log:
        assert (log.events, log.oldest_at) == (3, 2)
        assert payloads(log) == [b"2", b"3", b"4"]
        log.append([frame(5)])
        assert payloads(log) == [b"5"]
        log.settle()
    with opened(folder) as log:
        assert (log.events, payloads(log)) == (0, [])


def test_segments_come_and_go(folder: Path) -> None:
    big = os.urandom(SEGMENT_BYTES // 4)
    with opened(folder) as log:
        for n in range(11):
            log.append([frame(n, big)])
        assert len(list(folder.glob("*.frames"))) == 3
        for n in range(9):
            (found,) = log.read(1)
            assert found.arrived_at == n
            log.settle()
        assert len(list(folder.glob("*.frames"))) == 1
    with opened(folder) as log:
        assert log.size > 2 * len(big)
        assert [each.arrived_at for each in log.read(9)] == [9]
        assert [each.arrived_at for each in log.read(9)] == [10]


def test_a_torn_last_frame_is_dropped_and_kept_aside(folder: Path) -> None:
    """It was never acknowledged. Cut anywhere, what stands before it is whole."""
    with opened(folder) as log:
        log.append([frame(1), frame(2)])
    (segment,) = folder.glob("*.frames")
    whole = segment.read_bytes()
    torn = pack(frame(3, b"never acknowledged"))
    for end in range(len(torn)):
        segment.write_bytes(whole + torn[:end])
        with opened(folder) as log:
            assert (log.events, log.size) == (2, len(whole))
            assert payloads(log) == [b"1", b"2"]
    with opened(folder) as log:
        log.append([frame(4)])
        assert payloads(log) == [b"1", b"2", b"4"]
        log.settle()
    (aside,) = folder.glob("*.damaged")
    assert aside.read_bytes()[: len(whole)] == whole


def test_bytes_of_a_payload_are_never_taken_for_frames(folder: Path) -> None:
    """Who may send payloads could else send events of another integration, once a frame is torn."""
    inner = pack(Frame("other", "out", b"s", b"forged", 0))
    with opened(folder) as log:
        log.append([frame(1), frame(2, inner)])
    (segment,) = folder.glob("*.frames")
    segment.write_bytes(segment.read_bytes()[:-1])
    with opened(folder) as log:
        assert payloads(log) == [b"1"]


def test_damage_costs_what_follows_in_its_segment_and_nothing_else(folder: Path) -> None:
    big = b"x" * SEGMENT_BYTES
    with opened(folder) as log:
        log.append([frame(1), frame(2), frame(3, big)])
        log.append([frame(4)])
    first = min(folder.glob("*.frames"))
    content = bytearray(first.read_bytes())
    content[len(pack(frame(1))) + HEAD + 3] ^= 1
    first.write_bytes(content)
    with opened(folder) as log:
        assert (log.events, payloads(log)) == (2, [b"1", b"4"])
        log.settle()
    (aside,) = folder.glob("*.damaged")
    assert aside.read_bytes() == content


def test_damage_while_it_runs_does_not_stop_it(folder: Path) -> None:
    with opened(folder) as log:
        log.append([frame(1), frame(2)])
        assert payloads(log, 1) == [b"1"]
        (segment,) = folder.glob("*.frames")
        segment.write_bytes(segment.read_bytes()[:-1] + b"?")
        assert payloads(log) == []
        assert (log.events, log.read_all) == (1, True)
        log.settle()
        assert (log.events, log.size) == (0, 0)


@pytest.mark.parametrize("position", ["", "nonsense", "1", "9 9 9", "x y"])
def test_a_torn_position_only_repeats(folder: Path, position: str) -> None:
    with opened(folder) as log:
        log.append([frame(1), frame(2)])
        log.read(1)
        log.settle()
    (folder / "position").write_text(position)
    with opened(folder) as log:
        assert payloads(log) == [b"1", b"2"]


def test_a_position_in_a_file_that_is_gone_hides_nothing(folder: Path) -> None:
    with opened(folder) as log:
        log.append([frame(1), frame(2)])
        log.read(1)
        log.settle()
    for segment in folder.glob("*.frames"):
        segment.unlink()
    with opened(folder) as log:
        log.append([frame(3)])
        assert payloads(log) == [b"3"]
    with opened(folder) as log:
        assert payloads(log) == [b"3"]


def test_files_of_ingress_that_was_killed_before_it_deleted_them_are_not_read(folder: Path) -> None:
    with opened(folder) as log:
        log.append([frame(1)])
        (old,) = folder.glob("*.frames")
        content = old.read_bytes()
        log.read(1)
        log.settle()
    old.write_bytes(content)
    with opened(folder) as log:
        assert (log.events, payloads(log)) == (0, [])
    assert not old.exists()


# ---- the disk ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["os.pwrite", "bridge.ingress.spool.segment._sync"])
def test_what_the_disk_refuses_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with opened(folder) as log:
        log.append([frame(1)])
        for _ in range(3):
            with monkeypatch.context() as broken:
                broken.setattr(call, refuse)
                with pytest.raises(OSError, match="No space"):
                    log.append([frame(2)])
        assert len(list(folder.glob("*.frames"))) <= 2, "each failure must not leave a file"
        log.append([frame(3)])
        assert (log.events, payloads(log)) == (2, [b"1", b"3"])
    with opened(folder) as log:
        assert payloads(log) == [b"1", b"3"]


def test_a_write_that_was_cut_short_is_taken_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.pwrite

    def half(file: int, data: bytes, at: int) -> int:
        if len(data) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[: len(data) // 2], at)

    with opened(folder) as log:
        with monkeypatch.context() as broken:
            broken.setattr(os, "pwrite", half)
            with pytest.raises(OSError, match="No space"):
                log.append([frame(1)])
        (segment,) = folder.glob("*.frames")
        assert segment.stat().st_size == 0
        log.append([frame(2)])
        assert payloads(log) == [b"2"]


# ---- the folder --------------------------------------------------------------------------------------------


def test_two_processes_never_share_a_folder(folder: Path) -> None:
    with opened(folder) as log:
        with pytest.raises(ConfigError) as caught:
            Log(folder)
        log.append([frame(1)])
    assert "is in use by another ingress" in str(caught.value)
    assert str(os.getpid()) in str(caught.value)
    with opened(folder) as log:
        assert payloads(log) == [b"1"]


def test_the_lock_ends_with_its_process(folder: Path) -> None:
    """And what it had acknowledged is there: nothing is flushed at exit."""
    script = (
        "import os, sys, signal; from pathlib import Path; from bridge.ingress.spool import Frame, Log\n"
        "log = Log(Path(sys.argv[1])); log.append([Frame('support', 'out', b's', b'1', 1)])\n"
        "print('there', flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    run = subprocess.run([sys.executable, "-c", script, folder], stdout=subprocess.PIPE, check=False)
    assert (run.returncode, run.stdout) == (-9, b"there\n")
    with opened(folder) as log:
        assert payloads(log) == [b"1"]


@pytest.mark.parametrize("mode", [None, 0o755, 0o700])
def test_folder_and_files_are_for_the_owner_alone(folder: Path, mode: int | None) -> None:
    if mode is not None:
        folder.mkdir()
        folder.chmod(mode)
    with opened(folder) as log:
        log.append([frame(1), frame(2)])
        log.read(1)
        log.settle()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def test_a_folder_with_other_things_keeps_its_mode(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "other").touch()
    with opened(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_path_that_is_no_folder_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for wrong in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match=r"^ingress\.spool: .* cannot be used: "):
            Log(wrong)


def test_a_long_life(folder: Path) -> None:
    """Appends, reads, settles, rewinds and new processes in any order: a FIFO, nothing else."""
    dice = random.Random(7)
    log, appended, settled, read = Log(folder), 0, 0, 0
    for _ in range(2000):
        match dice.randrange(6):
            case 0 | 1:
                count = dice.randrange(1, 5)
                log.append([frame(appended + n, os.urandom(dice.randrange(1, 60_000))) for n in range(count)])
                appended += count
            case 2 | 3:
                found = [each.arrived_at for each in log.read(dice.randrange(1, 7))]
                assert found == list(range(read, read + len(found)))
                assert found or read == appended
                read += len(found)
            case 4:
                log.settle()
                settled = read
            case _:
                if dice.randrange(5):
                    log.rewind()
                else:
                    log.close()
                    log = Log(folder)
                read = settled
        assert log.events == appended - settled
        assert log.read_all == (read == appended)
    log.close()
