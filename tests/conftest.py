"""Settings that hold for every test."""

from hypothesis import settings

# A law holds or does not; how long an example takes on a busy machine says nothing about it.
settings.register_profile("untimed", parent=settings(), deadline=None)
settings.load_profile("untimed")
