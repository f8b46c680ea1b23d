"""River's own checks of an estimator. Its list of them needs scikit-learn, so here is ours.

Left out are those that compare mini-batches, which need pandas.
"""

from __future__ import annotations

import inspect
import itertools

import pytest
from river import datasets, linear_model, preprocessing, tree
from river.checks import common

from losswatch.river import Monitored

serial = itertools.count()

CHECKS = [
    common.check_repr,
    common.check_str,
    common.check_tags,
    common.check_clone_same_class,
    common.check_clone_is_idempotent,
    common.check_init_has_default_params_for_tests,
    common.check_init_default_params_are_not_mutable,
    common.check_doc,
    common.check_clone_changes_memory_addresses,
    common.check_mutate_can_be_idempotent,
    common.check_pickling_supports_roundtrip,
    common.check_repr_roundtrips_clone,
    common.check_clone_with_new_params_applies,
    common.check_get_params_matches_signature,
    common.check_learn_one,
    common.check_pickling,
    common.check_shuffle_features_no_impact,
    common.check_emerging_features,
    common.check_disappearing_features,
    common.check_radically_disappearing_features,
    common.check_predict_one_pure,
    common.check_predict_one_before_any_learn,
    common.check_no_state_aliasing_with_input,
    common.check_clone_is_independent,
    common.check_debug_one,
    common.check_seeding_is_idempotent,
    common.check_bounded_memory_growth,
]

MODELS = {
    "regressor": linear_model.LinearRegression(),
    "pipeline": preprocessing.StandardScaler() | linear_model.LinearRegression(),
    "tree": tree.HoeffdingTreeRegressor(),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_passes_the_checks_of_river(check, model):
    """A monitored model keeps every convention of river's estimators."""
    monitored = Monitored(model.clone(), name=f"check {next(serial)}", listen=None)
    if "dataset" in inspect.signature(check).parameters:
        check(monitored, datasets.TrumpApproval().take(400))
    else:
        check(monitored)


def test_accepts_keywords_as_a_wrapper():
    """Its own methods take keywords for the model; methods it lends take what the model's take."""
    monitored = Monitored(tree.HoeffdingTreeRegressor(), name="check keywords", listen=None)
    common.check_wrapper_accepts_kwargs(monitored)
