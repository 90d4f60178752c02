"""Tests of the benchmark itself: `benches/peers/run.sh test`."""

from __future__ import annotations

import math
import tempfile
import unittest
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cold import cold
from compare import difference, normal
from engines import ENGINES, by_name
from engines.dialect import ACCEPTED
from engines.duckdb import DuckDb
from engines.footfall import Footfall
from engines.peer import Peer, export_glob
from growth import slope
from ingest import parted, rows_in
from logs import FIRST_DAY, Size, count, generate_command, windows_of
from measure import AskError, Times, Worker
from questions import QUESTIONS, Facts, Question, chosen
from run import pruned
from show import merge, tables_of
from table import AskResult, as_json, markdown, verdict

HEADER = "timestamp,status,method,repoName,repoType,hashedUserId,hashedIp,country,region\n"
USER, IP = "aa" * 32, "bb" * 32

FACTS = Facts(
    rows=1,
    first_day=date(2026, 1, 11),
    newest_complete_day=date(2026, 3, 31),
    repos=tuple(f"org/repo-{rank}" for rank in range(1, 61)),
    shared_names=frozenset({"org/repo-2"}),
)


def question(name: str) -> Question:
    """Return one question."""
    return chosen(name, "")[0]


def line(clock: str, user: str = USER, ip: str = "", country: str = "DE") -> str:
    """Return one accepted request of 2026-01-11 or, with a date, of that day."""
    stamp = clock if "T" in clock else f"2026-01-11T{clock}"
    return f"{stamp}Z,200,GET,org/repo-1,model,{user},{ip},{country},\n"


class Definitions(unittest.TestCase):
    """The SQL says what the definitions' examples say, in every engine."""

    def test_windows_of_five_minutes(self) -> None:
        offsets = ("10:00:00", "10:00:20", "10:00:45", "10:01:40", "10:04:59", "10:05:01", "11:00:01")
        self.expect("".join(line(f"{clock}.000") for clock in offsets), "q02", [[3]])

    def test_signed_in_and_anonymous_are_two(self) -> None:
        rows = line("10:00:00.000", USER, "") + line("10:00:01.000", "", USER)
        self.expect(rows, "q06", [[2]])

    def test_a_user_keeps_one_identity_whatever_the_address(self) -> None:
        rows = line("10:00:00.000", USER, IP) + line("10:00:01.000", USER, "")
        self.expect(rows, "q06", [[1]])

    def test_countries_overlap(self) -> None:
        rows = line("10:00:00.000") + line("10:00:05.000", country="FR")
        self.expect(rows, "q02", [[1]])
        self.expect(rows, "q13", [["DE", 1], ["FR", 1]])

    def test_without_identity_nothing_collapses(self) -> None:
        rows = line("10:00:00.000", "", "") * 2
        self.expect(rows, "q02", [[2]])
        self.expect(rows, "q06", [[0]])
        self.expect(rows, "q16", [["", 2]])

    def test_who_was_on_both_repos(self) -> None:
        second = line("10:00:02.000").replace("repo-1", "repo-2")
        rows = line("10:00:00.000") + line("10:00:01.000", "", IP) + second
        self.expect(rows, "q17", [[1]])
        self.expect(rows, "q25", [["model:org/repo-2 org/repo-1", 1]])

    def test_new_in_the_month_of_the_first_request(self) -> None:
        rows = line("2026-01-11T10:00:00.000") + line("2026-02-11T10:00:00.000") + line("2026-02-11T10:00:00.000", IP)
        self.expect(rows, "q18", [["2026-01", 1], ["2026-02", 1]])

    def expect(self, rows: str, name: str, wanted: list[list[Any]]) -> None:
        """Load the rows into each peer and ask one question."""
        for peer in peers():
            with self.subTest(peer=peer.name):
                found = answer(peer, rows, question(name))
                self.assertEqual(wanted if found is None else found, wanted)


def peers() -> list[Peer]:
    """Return all of them."""
    engines = [by_name(name, Path()) for name in ENGINES]
    return [engine for engine in engines if isinstance(engine, Peer)]


def answer(peer: Peer, rows: str, asked: Question) -> list[list[Any]] | None:
    """Load one file and ask one question in this process; None if the engine has no answer."""
    text = peer.text(asked, FACTS)
    if not text:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        exports, store = Path(scratch, "exports"), Path(scratch, "store")
        exports.mkdir()
        (exports / "a.csv").write_text(HEADER + rows, encoding="utf-8")
        peer.load_here(exports, store)
        peer.finish_here(store)
        _, found = peer.open_here(store)(text)
        return sorted(normal(peer.rows({"rows": found()}, asked, FACTS), asked))


class Texts(unittest.TestCase):
    """Questions take their values from the data."""

    def test_dates_shift_with_the_first_day(self) -> None:
        self.assertIn("from 2026-04-14 to 2026-08-28", question("q22").footfall(FACTS))
        self.assertIn("from 2026-06-25T10:30:00Z to 2026-06-30T03:00:00Z", question("q26").footfall(FACTS))
        self.assertIn("ts < timestamp '2026-08-29 00:00:00'", question("q22").sql(DuckDb.dialect, FACTS))

    def test_last_days_end_with_the_newest_complete_day(self) -> None:
        self.assertEqual(FACTS.last(30), (datetime(2026, 3, 2), datetime(2026, 4, 1)))

    def test_there_are_26_one_line_questions(self) -> None:
        self.assertEqual([q.number for q in QUESTIONS], list(range(1, 27)))
        for each in QUESTIONS:
            for peer in peers():
                self.assertNotIn("\n", each.footfall(FACTS) + peer.text(each, FACTS))

    def test_the_default_rule_is_asked_of_all_but_the_requests(self) -> None:
        without = {q.name for q in QUESTIONS if ACCEPTED not in q.sql(DuckDb.dialect, FACTS)}
        self.assertEqual(without, {"q01", "q14", "q20", "q26"})

    def test_a_shared_name_carries_its_type(self) -> None:
        rows = DuckDb().rows({"rows": [["model", "org/repo-2", 5], ["model", "org/repo-3", 4]]}, question("q26"), FACTS)
        self.assertEqual(rows, [["model:org/repo-2", 5], ["org/repo-3", 4]])


class Answers(unittest.TestCase):
    """Footfall's analyses say more than is compared."""

    def test_an_audience_is_its_first_row(self) -> None:
        answer = {"columns": [{"name": "set"}, {"name": "downloaders"}], "rows": [["a and b", 2], ["a", 5]]}
        self.assertEqual(Footfall(Path()).rows(answer, question("q17"), FACTS), [[2]])

    def test_a_pair_is_both_names_in_order(self) -> None:
        columns = ({"name": name} for name in ("repo", "other", "downloaders", "both", "jaccard"))
        answer = {"columns": list(columns), "rows": [["org/b", "org/a", 9, 4, 0.1]]}
        self.assertEqual(Footfall(Path()).rows(answer, question("q25"), FACTS), [["org/a org/b", 4]])


class Comparing(unittest.TestCase):
    """Answers are equal as sets of rows."""

    def test_order_and_empty_rows_do_not_matter(self) -> None:
        asked = question("q03")
        mine = normal([["2026-01-02", 3], ["2026-01-01", 2], ["2026-01-03", 0], ["2026-01-04", None]], asked)
        self.assertEqual(difference(mine, normal([["2026-01-01", 2], ["2026-01-02", 3]], asked), asked), "")

    def test_a_wrong_count_is_named(self) -> None:
        asked = question("q03")
        self.assertIn("only here: ('2026-01-01', 2)", difference([["2026-01-01", 2]], [["2026-01-01", 3]], asked))

    def test_a_missing_row_is_named(self) -> None:
        self.assertEqual(difference([["DE", 1]], [], question("q13")), "1 rows against 0")

    def test_ties_at_the_cut_may_differ_and_nothing_else(self) -> None:
        asked = Question(0, lambda f: "", lambda d, f: "", ("repo",), 3)
        mine = [["a", 9], ["b", 5], ["c", 5]]
        self.assertEqual(difference(mine, [["a", 9], ["b", 5], ["d", 5]], asked), "")
        self.assertNotEqual(difference(mine, [["x", 9], ["b", 5], ["c", 5]], asked), "")
        self.assertNotEqual(difference(mine, [["a", 9], ["b", 6], ["c", 5]], asked), "")


def result_of(rounds_ms: dict[str, list[float]]) -> dict[str, Any]:
    """Return what a run over one row writes."""
    questions = {name: AskResult(name, Times({"duckdb": each}), "") for name, each in rounds_ms.items()}
    return {
        "rows": 1,
        "loads": {},
        "titles": {"duckdb": "DuckDB"},
        "questions": {name: as_json(each) for name, each in questions.items()},
    }


class Processes(unittest.TestCase):
    """Workers load and answer in processes of their own."""

    def test_warm_and_cold(self) -> None:
        peer = DuckDb()
        with tempfile.TemporaryDirectory() as scratch:
            exports, store = Path(scratch, "exports"), Path(scratch, "store")
            exports.mkdir()
            (exports / "a.csv").write_text(HEADER + line("10:00:00.000"), encoding="utf-8")
            self.assertGreater(peer.load(exports, store, more=True).elapsed_s, 0)
            peer.load(exports, store)
            text = peer.text(question("q01"), FACTS)
            with Worker(peer, store) as worker:
                self.assertEqual(worker.ask(text)["answer"]["rows"], [[2]])
                with self.assertRaises(AskError):
                    worker.ask("select nothing")
            measured = cold({"duckdb": (peer, store)}, {"duckdb": text}, 2)
            self.assertEqual(len(measured.times.rounds_ms["duckdb"]), 2)
            self.assertGreater(measured.peak_mb["duckdb"], 0)


class Pieces(unittest.TestCase):
    """Logs in parts."""

    def test_a_day_and_late_rows_are_parted_from_the_rest(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            exports, before, day, late = (Path(scratch, name) for name in ("exports", "before", "day", "late"))
            exports.mkdir()
            for number in range(3):
                rows = line("10:00:00.000") * 20
                (exports / f"access-{number}.csv").write_text(HEADER + rows, encoding="utf-8")
            parted(exports, before, day, late)
            self.assertEqual([rows_in(before), rows_in(day), rows_in(late)], [38, 20, 2])
            self.assertEqual(export_glob(before), f"{before}/*.csv")

    def test_slices_join_to_the_whole_plan(self) -> None:
        size = Size(1, 365, 2000, "v1", 1, downloaders=5)
        windows = list(windows_of(size, 4))
        self.assertEqual(windows[0][0], FIRST_DAY)
        self.assertEqual(windows[-1][1], date(2025, 12, 31))
        for (_, to), (start, _) in pairwise(windows):
            self.assertEqual(start - to, timedelta(days=1))
        self.assertIn("--downloaders=5", generate_command(Path("footfall"), size, Path("logs")))


class Measuring(unittest.TestCase):
    """Ratios are medians of rounds."""

    times = Times({"duckdb": [10.0, 30.0, 20.0], "clickhouse": [40.0, 40.0, 40.0], "footfall": [1.0, 1.0, 4.0]})

    def test_the_ratio_is_the_median_of_the_rounds(self) -> None:
        self.assertEqual(self.times.ratio("duckdb", "footfall"), 10.0)
        self.assertEqual(self.times.least("duckdb"), 10.0)

    def test_the_fastest_peer_counts(self) -> None:
        self.assertEqual(self.times.fastest(["duckdb", "clickhouse", "absent"], "footfall"), "duckdb")

    def test_the_spread_is_that_of_the_rounds_ratios(self) -> None:
        self.assertEqual(self.times.spread("clickhouse", "footfall"), (10.0, 40.0))

    def test_slow_peers_are_pruned_and_the_subject_is_not(self) -> None:
        self.assertEqual(pruned({"duckdb": 1.0, "polars": 5.1, "footfall": 9.0}, 5.0), {"duckdb", "footfall"})
        self.assertEqual(pruned({"duckdb": 1.0, "polars": 5.1}, 0.0), {"duckdb", "polars"})

    def test_later_results_count(self) -> None:
        one = result_of({"q01": [3.0], "q02": [4.0]})
        merged = merge([one, result_of({"q01": [9.0]})])
        self.assertEqual(
            {n: q["rounds_ms"]["duckdb"] for n, q in merged["questions"].items()}, {"q01": [9.0], "q02": [4.0]}
        )
        self.assertIn("| q02 | 4.00 |", "\n".join(tables_of(merged)))
        with self.assertRaises(SystemExit):
            merge([one, {**one, "rows": 2}])

    def test_verdicts(self) -> None:
        self.assertEqual(verdict(self.times, ["duckdb"], "footfall"), "")
        self.assertEqual(verdict(self.times, ["footfall"], "duckdb"), "slower")
        self.assertEqual(verdict(self.times, ["clickhouse"], "duckdb"), "below 10×")

    def test_the_exponent_is_the_slope_of_logarithms(self) -> None:
        points = [(math.log(rows), math.log(3 * rows**0.5)) for rows in (2e6, 2e7, 2e8)]
        self.assertAlmostEqual(slope(points), 0.5)

    def test_sizes(self) -> None:
        self.assertEqual([count("20M"), count("0.5M"), count("200k"), count("12")], [20_000_000, 500_000, 200_000, 12])

    def test_short_rows_are_filled(self) -> None:
        self.assertEqual(markdown(["a", "b"], [["1"]]).splitlines()[-1], "| 1 |  |")


if __name__ == "__main__":
    unittest.main()
