"""Sum the results of all phases and print them; the last line is ``N passed, N failed``.

Usage: ``python .ci/totals.py DIRECTORY``

The directory holds, for each phase, ``PHASE.rc`` (its exit code), ``PHASE.seconds``, and for one that ran pytest
``PHASE.xml`` (JUnit). A phase that failed without a failed test (a linter, an installation, no tests collected) counts
as one failure, and so does each skipped test. A strict xfail that fails as expected has passed. The exit code is 1 if
anything failed.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def pytest_counts(report: Path) -> tuple[int, int, int]:
    """Return (passed, failed, skipped) of one JUnit file; errors count as failed, a fault that stands as passed."""
    passed = failed = skipped = 0
    for suite in ET.parse(report).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        left = sum(mark.get("type") != "pytest.xfail" for mark in suite.iter("skipped"))
        passed += max(int(suite.get("tests", 0)) - bad - left, 0)
        failed, skipped = failed + bad, skipped + left
    return passed, failed, skipped


def main(directory: Path) -> int:
    total_passed = total_failed = total_skipped = 0
    phases = sorted(directory.glob("*.rc"), key=lambda path: path.stat().st_mtime_ns)
    for code_file in phases:
        phase, code = code_file.stem, int(code_file.read_text())
        passed = failed = skipped = 0
        report = directory / f"{phase}.xml"
        if report.exists():
            passed, failed, skipped = pytest_counts(report)
        if skipped:  # nothing that can be checked here is left out
            failed += skipped
        if code and not failed:
            failed = 1
        seconds = int((directory / f"{phase}.seconds").read_text())
        verdict = f"FAILED (exit code {code})" if code else "ok"
        print(f"{phase:12} {seconds:5d} s  {passed:5d} passed {failed:4d} failed {skipped:4d} skipped  {verdict}")
        total_passed += passed
        total_failed += failed
        total_skipped += skipped
    if not phases:
        print("no phase was run")
        total_failed = 1
    print(f"{total_skipped} skipped")
    print(f"{total_passed} passed, {total_failed} failed")
    return 1 if total_failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    raise SystemExit(main(Path(sys.argv[1])))
