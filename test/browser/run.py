#!/usr/bin/python3
"""All browser tests against the real pipelines, as TAP.

run.py [NAME]...   only tests whose id contains one of the names
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


def flatten(suite):
    for item in suite:
        yield from flatten(item) if isinstance(item, unittest.TestSuite) else (item,)


def main():
    found = unittest.defaultTestLoader.discover(str(HERE), "test_*.py", str(HERE))
    wanted = sys.argv[1:]
    tests = [t for t in flatten(found) if not wanted or any(w in t.id() for w in wanted)]
    result = TapResult()
    unittest.TestSuite(tests).run(result)
    print(f"1..{result.testsRun}")
    return 0 if result.testsRun and result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
