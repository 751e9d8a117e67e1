"""A scripted session of the console in a pseudo-terminal, against an emulator: start, see the services, open
one, see its logs, quit; the terminal is as it was.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import systems

SEQUENCE = re.compile(r"\x1b(?:\[([0-9;?<>=]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|P[^\x1b]*\x1b\\|[()#][A-Z0-9]|[^\[\]P()#])")


class Screen:
    """What a terminal shows of what was written: cursor moves, erasing, text. Enough for a console that draws
    cells; every character counts one column, so it is not for text that is wide."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.row = self.column = 0
        self.clear()

    def clear(self):
        self.cells = [[" "] * self.columns for _ in range(self.rows)]

    def take(self, text):
        """Draws what is whole and returns the rest."""
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self.draw(text[at])
                at += 1
                continue
            found = SEQUENCE.match(text, at)
            if not found:
                return text[at:] if len(text) - at < 64 else ""
            if found[2]:
                self.obey(found[1], found[2])
            at = found.end()
        return ""

    def draw(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row = min(self.row + 1, self.rows - 1)
        elif character >= " " and self.row < self.rows and self.column < self.columns:
            self.cells[self.row][self.column] = character
            self.column += 1

    def obey(self, given, letter):
        numbers = [int(n) if n.isdigit() else 0 for n in given.lstrip("?<>=").split(";")]
        first = max(numbers[0], 1)
        if letter in "Hf":
            self.row = min(first, self.rows) - 1
            self.column = min(max(numbers[1], 1) if len(numbers) > 1 else 1, self.columns) - 1
        elif letter in "ABCD":
            self.row = min(max(self.row + {"A": -first, "B": first}.get(letter, 0), 0), self.rows - 1)
            self.column = min(max(self.column + {"C": first, "D": -first}.get(letter, 0), 0), self.columns - 1)
        elif letter == "G":
            self.column = first - 1
        elif letter == "J":
            self.clear()
        elif letter == "K":
            self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)


class Terminal:
    """A pseudo-terminal with the console in it."""

    def __init__(self, opsdeck, words, columns=140, rows=40):
        self.seen, self.rest, self.screen = b"", "", Screen(columns, rows)
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.main, self.side = pty.openpty()
        fcntl.ioctl(self.side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.side)
        environment = {**opsdeck.environment(), "TERM": "xterm-256color"}
        self.child = os.fork()
        if self.child == 0:
            os.setsid()
            fcntl.ioctl(self.side, termios.TIOCSCTTY, 0)
            for stream in (0, 1, 2):
                os.dup2(self.side, stream)
            os.chdir(opsdeck.home)
            os.execve(opsdeck.binary, [opsdeck.binary, *words], environment)
        self.code = None

    def read(self, seconds):
        if select.select([self.main], [], [], seconds)[0]:
            try:
                read = os.read(self.main, 65536)
            except OSError:
                return
            self.seen += read
            self.rest = self.screen.take(self.rest + self.decoder.decode(read))

    def text(self):
        return self.screen.text()

    def wait_for(self, what, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what in self.text():
                return
            self.ended()
            assert self.code is None, f"the console ended with {self.code}: {self.text()}"
            self.read(0.2)
        raise AssertionError(f"{what!r} was not seen: {self.text()}")

    def type(self, keys):
        os.write(self.main, keys.encode())

    def ended(self):
        if self.code is None:
            done, status = os.waitpid(self.child, os.WNOHANG)
            if done:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def wait_for_end(self, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.ended():
            self.read(0.1)
        assert self.code is not None, f"the console does not end: {self.text()}"

    def close(self):
        if not self.ended():
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        os.close(self.main)
        os.close(self.side)


def check_a_console_session(emulator):
    opsdeck = emulator.opsdeck("eu-west-2")
    terminal = Terminal(opsdeck, ["--region", ",".join(systems.REGIONS)])
    try:
        for _, _, name in systems.each_service():
            terminal.wait_for(name)
        # By name, so that nothing depends on the order of rows.
        terminal.type(":service cma-production/cma-api-production\r")
        terminal.wait_for("cma-api-production:3")
        terminal.type(":logs cma-production/cma-api-production\r")
        terminal.wait_for("line 599 of task")
        terminal.type(":quit\r")
        terminal.wait_for_end()
        assert terminal.code == 0, f"exit code {terminal.code}"
        assert b"\x1b[?1049l" in terminal.seen, "the alternate screen was not left"
        assert b"\x1b[?25h" in terminal.seen, "the cursor was not shown again"
        after = termios.tcgetattr(terminal.side)
        assert after == terminal.before, "the terminal's modes are not what they were"
    finally:
        terminal.close()
