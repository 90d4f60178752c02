"""Tests of random queries and of their SQL: part of `benches/peers/run.sh test`."""

from __future__ import annotations

import random
import tempfile
import unittest
from datetime import date, datetime
from pathlib import Path
from typing import Any

from compare import normal
from engines.clickhouse import ClickHouse
from engines.duckdb_ids import DuckDbIds
from engines.peer import Ask
from fuzz import queries
from query_sql import WORDS, bucket_label, labelled, question_of, sql_of
from random_query import Asked, Condition, Span, span_of
from test_peers import FACTS, HEADER, IP, line

YEAR = Span("", datetime(2026, 1, 1), datetime(2027, 1, 1))

VECTOR = ("10:00:00", "10:00:20", "10:00:45", "10:01:40", "10:04:59", "10:05:01", "11:00:01")
"""Vector 1 of the definitions."""

ROWS = "".join(
    [
        *(line(f"{clock}.000") for clock in VECTOR),
        line("2026-02-02T09:00:00.000"),
        line("2026-02-03T09:00:00.000", "", IP, "FR"),
        line("2026-02-03T09:00:00.000", "", "", "FR"),
    ]
)


def asked(metric: str, by: tuple[str, ...] = (), rule: str = "5min", **more: Any) -> Asked:
    """Return a query over all rows."""
    return Asked(metric, by, more.get("conditions", ()), more.get("span", YEAR), rule, more.get("top", 0))


class Statements(unittest.TestCase):
    """The SQL says what the definitions say, in both engines."""

    scratch: tempfile.TemporaryDirectory[str]
    asks: dict[str, Ask]

    @classmethod
    def setUpClass(cls) -> None:
        """Load the same rows into both."""
        cls.scratch = tempfile.TemporaryDirectory()
        exports = Path(cls.scratch.name, "exports")
        exports.mkdir()
        (exports / "a.csv").write_text(HEADER + ROWS, encoding="utf-8")
        cls.asks = {}
        for peer in (DuckDbIds(), ClickHouse()):
            store = Path(cls.scratch.name, peer.name)
            peer.load_here(exports, store)
            peer.finish_here(store)
            cls.asks[peer.name] = peer.open_here(store)

    @classmethod
    def tearDownClass(cls) -> None:
        """Close and delete them: a process has one ClickHouse at a time."""
        cls.asks.clear()
        cls.scratch.cleanup()

    def expect(self, query: Asked, wanted: list[list[Any]]) -> None:
        """Ask both."""
        for name, ask in self.asks.items():
            with self.subTest(engine=name, query=query.text()):
                _, rows = ask(sql_of(query, WORDS[name]))
                self.assertEqual(sorted(normal(labelled(rows(), query, FACTS), question_of(query))), wanted)

    def test_rules(self) -> None:
        january = Span("in 2026-01", datetime(2026, 1, 1), datetime(2026, 2, 1))
        wanted = {"requests": 7, "fetches": 7, "counter": 4, "5min": 3, "counter-unique": 2, "daily": 1}
        for rule, count in wanted.items():
            self.expect(asked("downloads", rule=rule, span=january), [[count]])

    def test_without_identity_nothing_collapses(self) -> None:
        self.expect(asked("downloads", ("country",), "counter"), [["DE", 5], ["FR", 2]])
        self.expect(asked("downloaders", ("country",)), [["DE", 1], ["FR", 1]])

    def test_distinct_counts(self) -> None:
        self.expect(asked("users", ("month",)), [["2026-01", 1], ["2026-02", 1]])
        self.expect(asked("ips", ("year",)), [["2026", 1]])
        self.expect(asked("countries"), [[2]])
        self.expect(asked("repos", ("org",)), [["org", 1]])

    def test_conditions(self) -> None:
        conditions = (Condition("class", "=", ("fetch",)), Condition("hour_of_day", ">=", ("10",)))
        self.expect(
            asked("requests", ("weekday", "hour_of_day"), conditions=conditions), [["7", "10", 6], ["7", "11", 1]]
        )
        identity = (Condition("identity", "=", ("ip",)), Condition("country", "!=", ("DE",)))
        self.expect(asked("requests", ("repo",), conditions=identity, top=10), [["org/repo-1", 1]])

    def test_history(self) -> None:
        self.expect(asked("new", ("month",)), [["2026-01", 1], ["2026-02", 1]])
        self.expect(asked("returning", ("month",)), [["2026-02", 1]])
        february = Span("in 2026-02", datetime(2026, 2, 1), datetime(2026, 3, 1))
        self.expect(asked("returning", ("country",), span=february), [["DE", 1]])
        days = [[f"2026-02-{day:02}", 1 + (3 <= day <= 8)] for day in range(2, 10)]
        self.expect(asked("rolling(7)", ("day",), span=february), days)


class Queries(unittest.TestCase):
    """Random queries are the same again, and vary."""

    facts = FACTS.__class__(**{**vars(FACTS), "countries": ("US", "DE", "FR", "JP", "CN")})

    def test_a_number_gives_one_query(self) -> None:
        texts = [queries(1, number, self.facts).text() for number in range(300)]
        self.assertEqual(texts, [queries(1, number, self.facts).text() for number in range(300)])
        self.assertGreater(len(set(texts)), 250)

    def test_all_can_be_said_in_sql(self) -> None:
        for number in range(300):
            query = queries(2, number, self.facts)
            for words in WORDS.values():
                self.assertIn("from requests", sql_of(query, words))

    def test_spans(self) -> None:
        rng = random.Random(3)
        self.assertEqual(span_of(rng, FACTS, "last 30d"), Span("last 30d", datetime(2026, 3, 2), datetime(2026, 4, 1)))
        self.assertEqual(span_of(rng, FACTS, "last 12m").start, datetime(2026, 1, 11))
        for kind in ("in week", "in month", "in quarter", "days", "instants"):
            span = span_of(rng, FACTS, kind)
            self.assertLess(span.start, span.end)

    def test_labels(self) -> None:
        self.assertEqual(bucket_label("week", str(date(2026, 1, 1))), "2026-W01")
        self.assertEqual(bucket_label("quarter", "2026-07-01 00:00:00"), "2026-Q3")
        self.assertEqual(bucket_label("hour", "2026-07-01 08:00:00"), "2026-07-01T08:00:00Z")


if __name__ == "__main__":
    unittest.main()
