from __future__ import annotations

import copy
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from reml.devices.turns import Turns


def test_many_share_at_once() -> None:
    turns, together = Turns(), threading.Barrier(3, timeout=20)

    def read() -> None:
        with turns.shared():
            together.wait()  # each waits for the two others, who must be within too

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(read) for _ in range(3)]:
            done.result()


def test_who_is_alone_is_alone() -> None:
    turns, there = Turns(), list[str]()

    def read() -> None:
        for _ in range(200):
            with turns.shared():
                assert "writer" not in there

    def write() -> None:
        for _ in range(200):
            with turns.alone():
                assert not there
                there.append("writer")
                time.sleep(0)
                there.remove("writer")

    with ThreadPoolExecutor(5) as pool:
        for done in [pool.submit(one) for one in (read, write, read, write, read)]:
            done.result()


def test_neither_kind_waits_for_ever_while_the_other_keeps_coming() -> None:
    turns, ended, counts = Turns(), threading.Event(), {"read": 0, "write": 0}

    def keep(kind: str) -> None:
        while not ended.is_set():
            with turns.shared() if kind == "read" else turns.alone():
                counts[kind] += 1

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(keep, kind) for kind in ("read", "read", "read", "write")]
        deadline = time.monotonic() + 20
        while min(counts.values()) < 50 and time.monotonic() < deadline:
            time.sleep(0.01)
        ended.set()
        for one in done:
            one.result()
    assert min(counts.values()) >= 50


def test_an_error_within_gives_the_turn_back() -> None:
    turns = Turns()
    for turn in (turns.alone, turns.shared, turns.alone):
        try:
            with turn():
                raise KeyError
        except KeyError:
            pass


def test_a_forked_process_begins_without_any_turn_taken() -> None:
    """The thread that has the turn is not there, so that nobody would ever give it back."""
    turns, taken, free = Turns(), threading.Event(), threading.Event()

    def hold() -> None:
        with turns.alone():
            taken.set()
            free.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait(20)
    child = os.fork()
    if not child:
        with turns.alone():
            os._exit(0)
    deadline, status = time.monotonic() + 20, (0, 0)
    while status[0] == 0 and time.monotonic() < deadline:
        status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    free.set()
    holder.join()
    if status[0] == 0:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert status == (child, 0)


def test_a_copy_is_one_of_its_own() -> None:
    turns = Turns()
    with turns.alone(), copy.deepcopy(turns).alone():
        pass
