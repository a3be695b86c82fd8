#!/usr/bin/python3
"""All browser tests against the real pipelines, as TAP.

run.py [--again] [NAME]...   only tests whose id contains one of the names; --again: what failed
                             gets one more try by itself, and only a second failure counts
"""
import os
import sys
import traceback
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
os.environ.setdefault("TAPLINE_SERVER", f"{HERE / 'pipeline.py'}:PanelPipeline")


class TapResult(unittest.TestResult):
    """One line a test; what failed as comments below it. Nothing is skipped silently."""

    def _line(self, ok, test, error=None):
        word = "ok" if ok else "not ok"
        print(f"{word} {self.testsRun} - {test.id()}", flush=True)
        if error:
            for line in "".join(traceback.format_exception(*error)).splitlines():
                print("# " + line)

    def addSuccess(self, test):
        self._line(True, test)

    def addError(self, test, err):
        super().addError(test, err)
        self._line(False, test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line(False, test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"not ok {self.testsRun} - {test.id()} # skipped: {reason}")


class Quiet(unittest.TestResult):
    """The first try: remembers what failed, says what passed."""

    def __init__(self):
        super().__init__()
        self.passed = []

    def addSuccess(self, test):
        self.passed.append(test)


def flatten(suite):
    for item in suite:
        yield from flatten(item) if isinstance(item, unittest.TestSuite) else (item,)


def first_try(tests, result):
    """Runs all; those that pass are told as such, the others are returned."""
    quiet = Quiet()
    unittest.TestSuite(tests).run(quiet)
    for test in quiet.passed:
        result.startTest(test)
        result.addSuccess(test)
    passed = {test.id() for test in quiet.passed}
    left = [test for test in tests if test.id() not in passed]
    why = {test.id(): text.strip().splitlines() for test, text in quiet.failures + quiet.errors}
    for test in left:
        print(f"# second try: {test.id()}: {' | '.join(why.get(test.id(), ['not run'])[-3:])}")
    found = unittest.defaultTestLoader.discover(str(HERE), "test_*.py", str(HERE))
    names = {test.id() for test in left}
    return [test for test in flatten(found) if test.id() in names]


def main():
    found = unittest.defaultTestLoader.discover(str(HERE), "test_*.py", str(HERE))
    wanted = [a for a in sys.argv[1:] if a != "--again"]
    tests = [t for t in flatten(found) if not wanted or any(w in t.id() for w in wanted)]
    result = TapResult()
    if "--again" in sys.argv:
        tests = first_try(tests, result)
    unittest.TestSuite(tests).run(result)
    print(f"1..{result.testsRun}")
    return 0 if result.testsRun and result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
