"""The numbers the five documents print, written down from the documents' tables and not from the scheme files."""

# One line a row: id, section, start, points, floor..ceiling: each rule with its numbers in the order of its fields.
ROWS = {
    ("zhangshu-2021", "township"): """\
1.1 base full 5 0..5: forfeit; deduct 1
1.2 base zero 5 0..5: judged 0 5 5
1.3 base zero 5 0..5: judged 0 5 5; forfeit
1.4 base zero 5 0..5: judged 0 5 5
1.5 base zero 5 0..5: judged 0 5 5; forfeit
1.6 base zero 5 0..5: judged 0 5 5
1.7 base zero 5 0..5: judged 0 5 5
1.8 base full 5 0..5: forfeit; forfeit; deduct 3 3
1.9 base zero 2 0..2: judged 0 2 2
1.10 base full 5 0..5: deduct 1
1.11 base full 3 0..3: forfeit
2.1 base full 5 0..5: forfeit
2.2 base full 5 0..5: deduct 1
3.1 base full 5 0..5: forfeit
3.2 base full 15 0..15: checklist 2 2 2 2 2 2
4.1 base zero 10 0..10: judged 0 10 10
5.1 base zero 5 0..5: judged 0 5 5
5.2 base full 5 0..5: forfeit; deduct 2 2; deduct 1 1
b1 bonus zero 0 0..none: award 10; award 5; award 2; award 3
b2 bonus zero 0 0..none: discretion
p1 penalty zero 0 none..0: deduct 5 10
p2 penalty zero 0 none..0: deduct 10
p3 penalty zero 0 none..0: deduct 1 10
p4 penalty zero 0 none..0: discretion
""",
    ("zhangshu-2021", "department"): """\
1.1 base full 10 0..10: forfeit; deduct 1
1.2 base zero 10 0..10: judged 0 10 10
1.3 base full 10 0..10: deduct 1
1.4 base full 10 0..10: forfeit
1.5 base full 10 0..10: forfeit; forfeit; deduct 3 3
1.6 base zero 2 0..2: judged 0 2 2
1.7 base full 5 0..5: deduct 1
1.8 base full 3 0..3: forfeit
2.1 base full 5 0..5: forfeit
2.2 base full 5 0..5: deduct 1
3.1 base zero 10 0..10: judged 0 10 10
4.1 base zero 10 0..10: judged 0 10 10
4.2 base full 10 0..10: forfeit; deduct 2 2; deduct 1 1
b1 bonus zero 0 0..none: award 10; award 5; award 2; award 3
b2 bonus zero 0 0..none: by_rank 3 2; by_rank 3 2; by_rank 3 2; by_rank 3 2
b3 bonus zero 0 0..none: discretion
p1 penalty zero 0 none..0: deduct 5 10
p2 penalty zero 0 none..0: deduct 10
p3 penalty zero 0 none..0: by_rank 3 2; by_rank 3 2; by_rank 3 2; by_rank 3 2
p4 penalty zero 0 none..0: deduct 1 10
p5 penalty zero 0 none..0: discretion
""",
    ("langxi-2019", "township"): """\
1.1 base zero 15 0..15: judged 0 15 0
1.2 base zero 5 0..5: judged 0 5 0
1.3 base zero 5 0..5: judged 0 5 0
2.1 base zero 7 0..7: judged 0 7 0
2.2 base zero 5 0..5: judged 0 5 0
2.3 base zero 3 0..3: judged 0 3 0
3.1 base zero 9 0..9: judged 0 9 0
3.2 base zero 6 0..6: judged 0 6 0
3.3 base zero 9 0..9: judged 0 9 0
3.4 base zero 4 0..4: judged 0 4 0
3.5 base zero 5 0..5: judged 0 5 0
4.1 base zero 4 0..4: judged 0 4 0
4.2 base zero 4 0..4: judged 0 4 0
4.3 base zero 5 0..5: judged 0 5 0
4.4 base zero 7 0..7: judged 0 7 0
4.5 base zero 4 0..4: judged 0 4 0
b1 bonus zero 0 0..2: milestone 2 1 0
b2 bonus zero 0 0..2: award 0.5 2
b3 bonus zero 0 0..1: award 0.5 1
b4 bonus zero 0 0..none: award 3; award 2; award 1
p1 penalty zero 0 -2..0: deduct 0.5 2
p2 penalty zero 0 -10..0: deduct 2 10; deduct 2 10; deduct 2 10
p3 penalty zero 0 none..0: deduct 3; deduct 2; deduct 1
5.1 base full 10 0..10: deduct 1 10
5.2 base full 6 0..6: deduct 1 6
5.3 base full 6 0..6: deduct 1 6
5.4 base full 5 0..5: deduct 2 5; deduct 1 5; deduct 0.5 5
5.5 base full 1 0..1: deduct 1 1
5.6 base full 1 0..1: deduct 1 1
5.7 base full 1 0..1: deduct 1 1
6.1 base zero 100 0..100: mean_rating
""",
    ("linyi-2023", "A"): """\
1.1 base full 5 0..5: deduct 5 5
1.2 base full 6 0..6: checklist 2 2 2
2.1 base full 5 0..5: deduct 0.5 5
3.1 base full 4 0..4: deduct 1 4
3.2 base full 6 0..6: deduct 2 6
3.3 base full 2 0..2: deduct 2 2
3.4 base full 6 0..6: deduct 2 6
3.5 base full 4 0..4: deduct 4 4
3.6 base full 3 0..3: deduct 3 3; deduct 1 1
3.7 base full 5 0..5: deduct 1 5
3.8 base full 5 0..5: deduct 1 5
3.9 base full 2 0..2: deduct 2 2
4.1 base full 6 0..10: deduct 3 6; deduct 3 6; award 2 4
4.2 base full 8 0..8: deduct 4 8
5.1 base full 6 0..6: deduct 3 6
5.2 base zero 0 0..6: award 3 3 6
5.3 base full 6 0..9: deduct 2 6; award 0.5 3; award 1 3
5.4 base zero 0 0..4: award 2 4
6.1 base full 5 0..5: deduct 5 5
6.2 base full 8 0..8: deduct 4 8
6.3 base full 8 0..8: deduct 1 8
b1 bonus zero 0 0..none: award 5
b2 bonus zero 0 0..none: award 3; award 3
b3 bonus zero 0 0..none: prior_grade 2
b4 bonus zero 0 0..none: discretion
p1 penalty zero 0 none..0: deduct 5
p2 penalty zero 0 none..0: deduct 5
p3 penalty zero 0 none..0: deduct 5
p4 penalty zero 0 none..0: deduct 5
p5 penalty zero 0 none..0: deduct 5
p6 penalty zero 0 none..0: discretion
""",
    ("linyi-2023", "B"): """\
1.1 base full 5 0..5: deduct 5 5
1.2 base full 6 0..6: checklist 2 2 2
2.1 base full 4 0..4: deduct 1 4
2.2 base full 6 0..6: deduct 2 6
2.3 base full 2 0..2: deduct 2 2
2.4 base zero 8 0..8: judged 0 8 0
2.5 base zero 8 0..8: judged 0 8 0
2.6 base full 4 0..4: deduct 4 4
2.7 base full 6 0..6: deduct 2 6
2.8 base full 4 0..4: deduct 4 4
2.9 base full 3 0..3: deduct 3 3; deduct 1 1
2.10 base full 5 0..5: deduct 5 5
2.11 base full 5 0..5: deduct 1 5
2.12 base full 2 0..2: deduct 2 2
2.13 base zero 3 -3..3: judged -3 3 0
2.14 base zero 3 -3..3: judged -3 3 0
2.15.1 base zero 2 -2..2: judged -2 2 0
2.15.2 base zero 2 -2..2: judged -2 2 0
2.15.3 base zero 2 -2..2: judged -2 2 0
2.15.4 base zero 2 -2..2: judged -2 2 0
2.16 base zero 3 -3..3: judged -3 3 0
2.17 base zero 3 -3..3: judged -3 3 0
2.18 base zero 3 -3..3: judged -3 3 0
2.19 base zero 3 -3..3: judged -3 3 0
2.20 base zero 3 -3..3: judged -3 3 0
2.21 base zero 3 -3..3: judged -3 3 0
2.22 base zero 3 -3..3: judged -3 3 0
2.23 base zero 3 -3..3: judged -3 3 0
2.24 base zero 3 -3..3: judged -3 3 0
2.25 base zero 3 -3..3: judged -3 3 0
3.1 base full 6 0..10: deduct 3 6; deduct 3 6; award 2 4
3.2 base full 8 0..8: deduct 4 8
4.1 base full 6 0..6: deduct 3 6
4.2 base zero 0 0..5: award 5 5; award 1 5
4.3 base zero 0 0..6: award 3 3 6
4.4 base full 6 0..9: deduct 2 6; award 0.5 3; award 1 3
4.5 base zero 0 0..4: award 2 4
5.1 base zero 3 0..3: judged 0 3 0
6.1 base full 5 0..5: deduct 5 5
6.2 base full 4 0..4: deduct 2 4
6.3 base full 8 0..8: deduct 4 8
6.4 base full 8 0..8: deduct 1 8
b1 bonus zero 0 0..none: award 5
b2 bonus zero 0 0..none: award 3; award 3
b3 bonus zero 0 0..none: prior_grade 2
b4 bonus zero 0 0..none: discretion
p1 penalty zero 0 none..0: deduct 5
p2 penalty zero 0 none..0: deduct 5
p3 penalty zero 0 none..0: deduct 5
p4 penalty zero 0 none..0: deduct 5
p5 penalty zero 0 none..0: deduct 5
p6 penalty zero 0 none..0: discretion
""",
    ("yanjiang-2021", "township"): """\
1 base zero 4 0..4: award 1 1; award 2 2; award 1 1
2 base zero 3 0..3: checklist 1 1 1
3 base full 11 0..11: checklist 1 1 3 3 3
4 base zero 3 0..3: award 3 3
5.1 base zero 10 0..10: tiers 1 7 2 10
6 base zero 5 0..5: tiers 2 3 3 5
7 base zero 15 0..15: judged 0 15 15
8 base full 5 0..5: forfeit; tiers 1 1 2 2 3 5
9.1 base zero 20 0..20: judged 0 20 20
9.2 base zero 5 0..5: judged 0 5 5
9.3 base zero 5 0..5: judged 0 5 5
10 base zero 14 0..14: judged 0 14 14
b1 bonus zero 3 0..3: if_total 90 3
b2 bonus zero 5 0..5: award 5 5
b3 bonus zero 2 0..2: by_rank 3 2
p1 penalty zero 0 none..0: deduct 5
""",
    ("yanjiang-2021", "department"): """\
1 base zero 4 0..4: award 1 1; award 2 2; award 1 1
2 base zero 3 0..3: checklist 1 1 1
3 base full 11 0..11: checklist 1 1 4.5 4.5
4 base zero 3 0..3: award 3 3
5.1 base zero 10 0..10: tiers 1 7 2 10
5.2 base zero 10 0..10: judged 0 10 10
6 base zero 5 0..5: tiers 2 3 3 5
7 base zero 15 0..15: judged 0 15 15
8 base full 5 0..5: forfeit; tiers 1 1 2 2 3 5
9.1 base zero 20 0..20: judged 0 20 20
9.2 base zero 5 0..5: judged 0 5 5
9.3 base zero 5 0..5: judged 0 5 5
10 base zero 14 0..14: judged 0 14 14
b1 bonus zero 3 0..3: if_total 90 3
b2 bonus zero 5 0..5: award 5 5
b3 bonus zero 2 0..2: by_rank 3 2
p1 penalty zero 0 none..0: deduct 5
""",
    ("changshu-2020", "department"): """\
1.1 base zero 2 0..2: judged 0 2 2
1.2 base zero 5 0..5: judged 0 5 5
1.3 base zero 3 0..3: tiers 1 1 2 2 3 3
1.4 base zero 5 0..5: judged 0 5 5
2.1 base full 30 0..30: shortfall 0.2 5; deduct 2; deduct 180 3
3.1 base full 30 0..30: deduct 2; deduct 14 3; deduct 5
4.1 base full 15 0..15: deduct 5; deduct 2; deduct 3
b1 bonus zero 20 0..20: judged 0 20 0
b2 bonus zero 10 0..10: by_rank 5 10 10 8 20 5
b3 bonus zero 10 0..10: award 3
b4 bonus zero 10 0..10: milestone 10 10 0
b5 bonus zero 10 0..10: award 10; award 10
p1 penalty zero 10 none..0: deduct 10
p2 penalty zero 10 none..0: deduct 10
""",
}
# Both groups of 郎溪 are scored on one sheet; the townships of 常熟 have no row b2.
ROWS["langxi-2019", "department"] = ROWS["langxi-2019", "township"]
ROWS["changshu-2020", "township"] = "".join(
    line for line in ROWS["changshu-2020", "department"].splitlines(keepends=True) if not line.startswith("b2 ")
)

# Units; rows in base, bonus, penalty; points of the base rows.
COUNTS = {
    ("zhangshu-2021", "township"): (19, 18, 2, 4, "100"),
    ("zhangshu-2021", "department"): (35, 13, 3, 5, "100"),
    ("langxi-2019", "township"): (9, 24, 4, 3, "227"),  # agency 97, daily 30, mutual 100
    ("langxi-2019", "department"): (33, 24, 4, 3, "227"),
    ("linyi-2023", "A"): (14, 21, 4, 6, "100"),
    ("linyi-2023", "B"): (27, 42, 4, 6, "166"),  # 103 from full, 63 judged
    ("yanjiang-2021", "township"): (8, 12, 3, 1, "100"),
    ("yanjiang-2021", "department"): (8, 13, 3, 1, "110"),  # of 5.1 and 5.2 each unit has one, of 6 none has any
    ("changshu-2020", "department"): (12, 7, 5, 2, "90"),
    ("changshu-2020", "township"): (7, 7, 4, 2, "90"),
}

# The points printed beside a heading, and what its rows add up to.
LANGXI_LABELS = {
    "专业机构测评 / 解读回应": ("25", "25"),
    "专业机构测评 / 决策执行": ("15", "15"),
    "专业机构测评 / 重点领域": ("36", "33"),
    "专业机构测评 / 监督保障": ("24", "24"),
}
CHANGSHU_LABELS = {
    "制度建设": ("15", "15"),
    "政府网站": ("30", "30"),
    "政务新媒体": ("30", "30"),
    "依申请公开": ("15", "15"),
}
LABELS = {
    ("zhangshu-2021", "township"): {
        "政府信息公开": ("55", "50"),
        "政务新媒体": ("10", "10"),
        "标准化规范化": ("15", "20"),
        "政府网站信息报送": ("10", "10"),
        "组织保障": ("10", "10"),
    },
    ("zhangshu-2021", "department"): {
        "政府信息公开": ("60", "60"),
        "政务新媒体": ("10", "10"),
        "政府网站信息报送": ("10", "10"),
        "组织保障": ("20", "20"),
    },
    ("langxi-2019", "township"): LANGXI_LABELS,
    ("langxi-2019", "department"): LANGXI_LABELS,
    ("linyi-2023", "A"): {
        "组织与保障": ("11", "11"),
        "基层公开": ("5", "5"),
        "主动公开": ("37", "37"),
        "依申请公开": ("14", "14"),
        "解读与回应": ("12", "12"),
        "日常监管": ("21", "21"),
    },
    ("linyi-2023", "B"): {
        "组织与保障": ("11", "11"),
        "依申请公开": ("14", "14"),
        "解读与回应": ("12", "12"),
        "平台建设": ("3", "3"),
        "日常监管": ("25", "25"),
    },
    ("yanjiang-2021", "township"): {"政务信息公开": ("30", "30")},
    ("yanjiang-2021", "department"): {"政务信息公开": ("30", "30")},
    ("changshu-2020", "department"): CHANGSHU_LABELS,
    ("changshu-2020", "township"): CHANGSHU_LABELS,
}
