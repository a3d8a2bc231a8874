"""Places among units that remain when others have left."""

from __future__ import annotations

from datetime import date

import pytest

from projections.scheme_files import vocabulary
from schemes.exact import plain
from schemes.fact import Fact
from schemes.reading import read_scheme
from schemes.sheets import Situation, sheets

SCHEME = """
id: sample
version: "1"
document: {title: 示例, number: null, issuer: 示例县, issued_on: null}
jurisdiction: {code: "360982", name: 示例县}
year: 2021
period: {first: 2021-01-01, last: 2021-12-31}
full: 100
not_applicable: drop
groups:
  - id: only
    title: 全部
    units: [甲, 乙, 丙, 丁]
    indicators:
      - id: "1"
        titles: [名次]
        clause: 第1行
        points: 10
        start: full
        rules:
          - effect: by_rank
            direction: deduct
            source: {ranking: third_party_q1}
            among: group
            from_bottom: true
            places: [{rank: 1, points: 5}, {rank: 2, points: 3}]
"""


@pytest.mark.parametrize(
    ("units", "rank", "value"),
    [
        (("甲", "乙", "丙", "丁"), 4, "5"),
        (("甲", "乙", "丙", "丁"), 3, "7"),
        (("甲", "乙", "丙", "丁"), 2, "10"),
        (("甲", "乙", "丙"), 4, "10"),
        (("甲", "乙"), 4, "10"),
        (("甲", "乙", "丙"), 3, "5"),
    ],
)
def test_a_rank_beyond_the_units_that_remain_has_no_place_from_the_bottom(
    units: tuple[str, ...], rank: int, value: str
) -> None:
    scheme = read_scheme(SCHEME, "sample.yaml", vocabulary())
    fact = Fact("o1", 1, "甲", "ranking", date(2021, 6, 1), 1, {"name": "third_party_q1", "rank": rank})
    found = sheets(Situation(scheme, {"only": units}, [fact], scheme.period.last))
    assert plain(found["甲"].score.rows[0].value) == value
