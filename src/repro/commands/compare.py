"""Say where two folders of results differ, times and places aside."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", help="folder of results")
    parser.add_argument("second", help="another")


def execute(options: argparse.Namespace) -> None:
    from repro.records import compare_results

    found = compare_results.compare(options.first, options.second)
    print(compare_results.write_table(found))
    if found["difference"].notna().any():
        raise ValueError(f"{options.first} and {options.second} differ")
