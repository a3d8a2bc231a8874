"""What the office takes along as workbooks: score sheets, the ranking, a unit's history, the year's entries."""
