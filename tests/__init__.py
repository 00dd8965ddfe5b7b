"""The tests: a file for each part of genotok; what several need is in `support`."""

import pytest

# Its assertions say what they compared, as those of the tests do.
pytest.register_assert_rewrite("tests.support")
