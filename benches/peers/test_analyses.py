"""What `analyses.py` makes of Footfall's rows, and how it compares."""

import unittest
from datetime import date

import analyses
import analysis_sql as sql
from questions import Facts

FACTS = Facts(
    rows=1,
    first_day=date(2025, 1, 1),
    newest_complete_day=date(2025, 12, 31),
    repos=("a/x", "a/it's"),
    shared_names=frozenset({"a/x"}),
    countries=("DE",),
)
DATA = sql.Data(FACTS, has_agents=True)


class Rows(unittest.TestCase):
    """Footfall's rows as SQL gives them."""

    def test_a_grid_is_unfolded(self) -> None:
        grid = [["2025-01", 5, 2, 0], ["2025-02", 4, 1, None]]
        self.assertEqual(
            sql.unfold(grid), [["2025-01", 0, 5], ["2025-01", 1, 2], ["2025-02", 0, 4], ["2025-02", 1, 1]]
        )

    def test_pairs_are_in_the_order_of_names(self) -> None:
        rows = [["b", "a", 9, 9, 3, 0.1, 1.0], ["a", "c", 9, 9, 0, 0.0, 0.0]]
        self.assertEqual(sql.pairs(rows), [["a", "b", 3, 100000, 1000000]])

    def test_what_differs_is_found_on_either_side(self) -> None:
        self.assertEqual(analyses.difference([["a", 1]], [["a", 1.0]]), "")
        self.assertIn("only in Footfall", analyses.difference([["a", 1], ["b", 2]], [["a", 1]]))
        self.assertIn("only in DuckDB", analyses.difference([["a", 1]], [["a", 1], [None, 2]]))

    def test_names_are_quoted(self) -> None:
        self.assertIn("repo = 'a/it''s'", sql.succession_sql(DATA))
        self.assertIn("repo in ('a/x')", sql.overlap_sql(DATA))

    def test_fractions_are_compared_as_whole_numbers(self) -> None:
        self.assertEqual(sql.ratios(1)([["x", 0.25, 0.5], ["y", None, 0.5]]), [["x", 250000, 0.5], ["y", None, 0.5]])
        self.assertEqual(sql.parts([["whole", None, 3, 1.5, 1.5, 1.0]]), [["whole", None, 3, 3, 1000000]])

    def test_questions_about_clients_need_user_agents(self) -> None:
        without = analyses.chosen("", sql.Data(FACTS, has_agents=False))
        self.assertNotIn("clients by month", [one.name for one in without])
        some = analyses.chosen("autopsy,clients", DATA)
        self.assertEqual([one.name for one in some], ["spike autopsy", "clients by month"])


if __name__ == "__main__":
    unittest.main()
