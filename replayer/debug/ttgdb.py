# SPDX-License-Identifier: BSD-3-Clause
"""gdb's side of a replay: where the guest is in its trace, and how far it runs.

ttreplay --gdb has gdb run this, with the guest's pid in TT_GUEST. It asks the replay at a
socket, TT_SERVER (debug_server.h), one packet a question. The guest gets what the trace
has for it as long as gdb lets it run.
"""

import os
import re
import socket
import subprocess

import gdb

NEVER = 2**64 - 1
# What User-Mode Linux lives on: of no interest to a person (arch/um/os-Linux/signal.c).
SIGNALS = (
    "SIGSEGV SIGIO SIGALRM SIGVTALRM SIGPROF SIGWINCH SIGCHLD SIGUSR1 SIGUSR2 SIG34 SIG35"
)


class Server:
    """The connection to the replay, which knows where the guest is in its trace."""

    def __init__(self, fd):
        os.set_inheritable(fd, False)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=fd)

    def ask(self, question):
        try:
            self.socket.send(question.encode())
            reply = self.socket.recv(4 * 4096).decode(errors="replace")
        except OSError as error:
            raise gdb.GdbError("the replay does not answer: %s" % error)
        word, _, text = reply.partition(" ")
        if word != "ok":
            raise gdb.GdbError(text or "the replay has ended")
        return text


class Replay:
    """State of the replay when the guest last stopped."""

    def __init__(self, server):
        self.server = server
        self.guest, self.ttdump, self.trace = server.ask("hello").split("\t", 2)
        self.limited = False  # it will be held at a record that was asked for
        self.released = False  # it has been let go for the resume to come
        self.calling = False  # gdb calls a function in the guest
        self.refresh()

    def refresh(self):
        record, now, held, self.text = self.server.ask("where").split(" ", 3)
        self.record, self.now, self.held = int(record), int(now), held == "1"
        gdb.set_convenience_variable("tt_record", self.record)
        gdb.set_convenience_variable("tt_now", self.own_time())

    def own_time(self):
        """The guest's own time in ns, or the trace's for a kernel without the symbol."""
        if not is_alive():
            return self.now
        try:
            return int(gdb.parse_and_eval("*(unsigned long long *)&time_travel_time"))
        except gdb.error:
            return self.now

    def place(self):
        if not is_alive():
            return "%s has ended" % self.guest
        if self.text:
            return self.text
        return "%s is before record %d, t=%s s" % (self.guest, self.record, seconds(self.now))

    def go(self, limit):
        self.server.ask("go %d" % limit)
        self.limited = limit != NEVER
        self.held = False

    # ---- What gdb tells ----

    def on_resume(self, event):
        if self.released:
            self.released = False
        elif not self.calling and (self.held or self.limited):
            self.go(NEVER)

    def on_stop(self, event):
        self.refresh()
        if self.held:
            print(self.place())

    def on_call(self, event):
        self.calling = isinstance(event, gdb.InferiorCallPreEvent)


def is_alive():
    return gdb.selected_inferior().pid != 0


def seconds(ns):
    return "%d.%09d" % divmod(ns, 10**9)


# ---- Commands ------------------------------------------------------------------------------------


class When(gdb.Command):
    """Show where the guest is in its trace.

    tt-when

The record that comes next for it, and its own time. $tt_record and $tt_now
have the same as numbers, the time in ns."""

    def __init__(self, replay):
        super().__init__("tt-when", gdb.COMMAND_STATUS)
        self.replay = replay

    def invoke(self, argument, from_tty):
        self.replay.refresh()
        place = self.replay.place()
        if is_alive():
            place += "; guest time %s s" % seconds(self.replay.own_time())
        print(place)


class RunTo(gdb.Command):
    """Let the guest run to a point of its trace.

    tt-run-to RECORD|TIME|irq:N|console:REGEX|+RECORDS|+TIME

The points of ttreplay --until, for this guest; +3 is its third record from
here, +1ms a time from here. A breakpoint stops it earlier, and the point is
then discarded."""

    def __init__(self, replay):
        super().__init__("tt-run-to", gdb.COMMAND_RUNNING)
        self.replay = replay

    def invoke(self, argument, from_tty):
        if not argument.strip():
            raise gdb.GdbError("missing point: expected e.g. tt-run-to irq:5")
        if not is_alive():
            raise gdb.GdbError("the guest has ended")
        self.replay.go(int(self.replay.server.ask("find " + argument.strip())))
        self.replay.released = True
        gdb.execute("continue", from_tty)


class Records(gdb.Command):
    """Show the records of the guest around this point, as ttdump show prints them.

    tt-records [COUNT]

This many before and after (default 10). => marks the next one."""

    def __init__(self, replay):
        super().__init__("tt-records", gdb.COMMAND_STATUS)
        self.replay = replay

    def invoke(self, argument, from_tty):
        first, last = self.replay.server.ask("around " + (argument.strip() or "10")).split()
        command = [self.replay.ttdump, "show", "--guest", self.replay.guest]
        command += ["--records", "%s..%s" % (first, last), self.replay.trace]
        try:
            shown = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise gdb.GdbError("cannot show records: %s" % error)
        here = re.compile(r"\s*%d\b" % self.replay.record)
        for line in shown.stdout.decode(errors="replace").splitlines():
            if line.startswith("#"):
                continue
            print("%s %s" % ("=>" if here.match(line) else "  ", line))


class Refusal(gdb.Command):
    """Refused in a replay: use continue or tt-run-to."""

    def __init__(self, name):
        super().__init__(name, gdb.COMMAND_RUNNING)
        self.name = name

    def invoke(self, argument, from_tty):
        raise gdb.GdbError(
            "%s: the replay has started the guest; use continue or tt-run-to, or restart"
            " ttreplay to begin again" % self.name
        )


class Function(gdb.Function):
    """A number of the replay, queried at each call, for breakpoint conditions."""

    def __init__(self, name, ask):
        super().__init__(name)
        self.ask = ask

    def invoke(self):
        return self.ask()


def current_record(replay):
    return int(replay.server.ask("where").split(" ", 1)[0])


# ---- Start ---------------------------------------------------------------------------------------


def set_up_gdb():
    gdb.execute("handle %s nostop noprint pass" % SIGNALS, to_string=True)
    # How the replay has the guest stop.
    gdb.execute("handle SIGSTOP stop print nopass", to_string=True)
    # Processes of the guest are its kernel's to trace.
    gdb.execute("set follow-fork-mode parent")
    gdb.execute("set detach-on-fork on")
    gdb.execute("set print inferior-events off")


def start():
    set_up_gdb()
    try:
        # In silence: that the guest has a world of its own is no news.
        gdb.execute("attach %d" % TT_GUEST, to_string=True)
    except gdb.error as error:
        print("cannot attach to the guest: %s" % error)
        gdb.execute("quit 1")
    replay = Replay(Server(TT_SERVER))
    When(replay)
    RunTo(replay)
    Records(replay)
    # These would start the trace's kernel on this machine, outside of its sandbox.
    for name in ("run", "start", "starti"):
        Refusal(name)
    Function("tt_now_ns", replay.own_time)
    Function("tt_next_record", lambda: current_record(replay))
    gdb.events.cont.connect(replay.on_resume)
    gdb.events.stop.connect(replay.on_stop)
    gdb.events.inferior_call.connect(replay.on_call)
    print(replay.place())


start()
