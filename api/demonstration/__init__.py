"""The demonstration: a believable year of five counties, invented from data and a seed.

`plans/` says what happens in each county, `generator` makes entries of it, `loading` records them. The units are
those of the schemes; everything said about them is invented, document numbers and addresses included: numbers carry
the sign 演 (demonstration), addresses end in `.example`. No person is named.
"""
