"""scikit-learn's own tests of its searches pass with ours in their place, as far as they are about behaviour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tuner.sklearn.substituted import searches_substituted

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

ORDER = "a study proposes in an order of its own"
REPEATED = "a value that a list repeats is one value"
CALLBACKS = "callbacks of scikit-learn 1.9 are not called"
INTERNAL = "about how theirs are built"
# Why a test does not apply; the manual has the same list.
APART = {
    "test_grid_search": ORDER,
    "test_grid_search_correct_score_results": ORDER,
    "test_refit_callable": ORDER,
    "test_refit_callable_multi_metric": ORDER,
    "test_search_cv_results_none_param": ORDER,
    "test_search_cv_results_rank_tie_breaking": ORDER,
    "test_search_with_2d_array": ORDER,
    "test_callable_multimetric_clf_all_fits_fail": REPEATED,
    "test_grid_search_classifier_all_fits_fail": REPEATED,
    "test_grid_search_cv_splits_consistency": REPEATED,
    "test_search_callbacks_no_propagation": CALLBACKS,
    "test_search_callbacks_propagation": CALLBACKS,
    "test_search_callbacks_receive_sample_weight": CALLBACKS,
    "test_search_callbacks_receive_search_instance": CALLBACKS,
    "test_search_callbacks_with_partial_fit_failures": CALLBACKS,
    "test_custom_run_search": INTERNAL,
    "test__custom_fit_no_run_search": INTERNAL,
    "test_yield_masked_array_for_each_param": INTERNAL,
    "test_yield_masked_array_no_runtime_warning": INTERNAL,
    "test_search_cv_verbose_3": "a line for each fit is not printed",
    "test_array_api_search_cv_classifier": "arrays of other libraries are not tried",
    "test_parameter_grid": "about ParameterGrid",
    "test_param_sampler": "about ParameterSampler",
    "test_parameters_sampler_replacement": "about ParameterSampler",
    "test_validate_parameter_input": "about ParameterGrid and ParameterSampler",
}
_theirs = searches_substituted()
_known = {name: value for name, value in vars(_theirs).items() if name.startswith("test_") and callable(value)}
globals().update({name: value for name, value in _known.items() if name not in APART})


def test_every_test_that_is_left_out_is_there_and_told() -> None:
    manual = (Path(__file__).parents[3] / "tuner" / "docs" / "search-any-estimator.md").read_text(encoding="utf-8")
    assert set(APART) <= set(_known)
    assert [name for name in APART if name.removeprefix("test_") not in manual] == []
