"""Run portable tests without pytest: ``python|micropython tests/run_portable.py FILE...``

Runs every ``test_*`` function of each file on the interpreter it is started with, from the root of the
project (MicroPython: with that in MICROPYPATH). One line a test, then ``N passed, N failed``; exit 1 if
any failed.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def run_file(path: str) -> "tuple[int, int]":
    """Run the tests of one file; how many passed and failed. A file that does not load is a failure."""
    folder, _, name = path.rpartition("/")
    sys.path.insert(0, folder or ".")  # as pytest does: a test may import its neighbours
    try:
        return _run_module(path, __import__(name[: -len(".py")]))
    except Exception as error:  # noqa: BLE001  whatever a test file raises is its failure
        print("FAILED %s: does not load" % path)
        _print_error(error)
        return 0, 1
    finally:
        sys.path.pop(0)


def _run_module(path: str, module: object) -> "tuple[int, int]":
    passed = failed = 0
    for test in sorted(name for name in dir(module) if name.startswith("test_")):
        try:
            getattr(module, test)()
        except Exception as error:  # noqa: BLE001  as above
            failed += 1
            print("FAILED %s::%s" % (path, test))
            _print_error(error)
        else:
            passed += 1
            print("ok %s::%s" % (path, test))
    return passed, failed


def main(paths: "list[str]") -> int:
    """Run the files; the exit code."""
    if "." not in sys.path:
        sys.path.insert(0, ".")
    passed = failed = 0
    for path in paths:
        of_file = run_file(path)
        passed += of_file[0]
        failed += of_file[1]
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


def _print_error(error: Exception) -> None:
    show: Any = getattr(sys, "print_exception", None)  # MicroPython's
    if show is None:
        import traceback

        show = traceback.print_exception
    show(error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
