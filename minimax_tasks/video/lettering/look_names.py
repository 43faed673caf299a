"""The looks that a title may have, in a module that needs no PyAV, so that boards are checked quickly."""

LOOKS = {
    "classic": "serif, in the middle; the subtitle small and spaced below it",
    "wide": "light capitals far apart, in the middle, over a fine rule",
    "bold": "heavy capitals, stacked at the lower left",
    "chapter": "the subtitle above a rule, the title in serif below it, at the left",
    "place": "small spaced capitals at the lower left, for where and when",
    "lower third": "a name and what they are, at the lower left, beside a bar",
}
"""Look -> what it is, for people."""

USUAL = "classic"
