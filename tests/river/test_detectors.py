"""The detectors are river's: they work where ADWIN does, and tell what a stream tells."""

import copy
import inspect
import math
import pickle
import random

import pytest
from river import datasets, drift, evaluate, linear_model, metrics, preprocessing
from river.checks import common

from losswatch.core.alarms.budget_stream import BudgetStream
from losswatch.core.alarms.drift_stream import DriftStream
from losswatch.core.alarms.settings import BudgetAlarm, DriftAlarm
from losswatch.core.alarms.span import Span
from losswatch.errors import Reason, RejectedEvent
from losswatch.river import BudgetDetector, RankDetector

CHECKS = [
    common.check_repr,
    common.check_str,
    common.check_clone_same_class,
    common.check_clone_is_idempotent,
    common.check_mutate_can_be_idempotent,
    common.check_init_has_default_params_for_tests,
    common.check_init_default_params_are_not_mutable,
    common.check_doc,
    common.check_clone_changes_memory_addresses,
    common.check_pickling_supports_roundtrip,
    common.check_repr_roundtrips_clone,
    common.check_clone_with_new_params_applies,
    common.check_get_params_matches_signature,
    common.check_mutable_attributes_exist,
]
OURS = [
    kind(**params) for kind in (BudgetDetector, RankDetector) for params in kind._unit_test_params()
]
SOON = [
    BudgetDetector(max_rmse=1.5, one_false_alarm_per=5000),
    BudgetDetector(max_mean=2.0, one_false_alarm_per=5000, block=1, loss_cap=30.0),
    RankDetector(warmup=500, block=5, one_false_alarm_per=5000),
]


def losses(n: int, seed: int = 1) -> list[float]:
    """Return squared errors that grow fourfold in the middle third."""
    rng = random.Random(seed)
    return [rng.gauss(0, 2 if n // 3 <= k < 2 * n // 3 else 1) ** 2 for k in range(n)]


def detections(detector, values) -> list[int]:
    found = []
    for place, value in enumerate(values):
        assert detector.update(value) is None
        if detector.drift_detected:
            found.append(place)
    return found


@pytest.mark.parametrize("detector", OURS, ids=repr)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_passes_the_checks_of_river(check, detector):
    """A detector keeps every convention of river that is not of models alone, as tags are."""
    assert list(inspect.signature(check).parameters) == ["model"]
    check(detector.clone())


@pytest.mark.parametrize("detector", SOON, ids=repr)
def test_detects_and_begins_anew(detector):
    """Nothing before the change, something soon after it, and again as long as it lasts."""
    detector = detector.clone()
    assert not detector.drift_detected
    assert detector.since_change is None
    found = detections(detector, losses(6000))
    assert 2000 < found[0] < 2300
    if isinstance(detector, BudgetDetector):
        assert len(found) > 5
        assert all(2000 < place < 4000 for place in found)
        assert detector.since_change < 200
    detector.update(1.0)
    assert not detector.drift_detected


def test_a_budget_is_judged_as_by_a_stream():
    """Each detection is that of a stream which is reset, and so is the evidence."""
    alarm = BudgetAlarm(name="b", max_rmse=1.5, one_false_alarm_per=Span(5000.0))
    detector, stream = SOON[0].clone(), BudgetStream(alarm)
    for loss in losses(6000, seed=3):
        detector.update(loss)
        assert detector.drift_detected == bool(stream.update(loss))
        assert detector.evidence == stream.evidence[0]
        if detector.drift_detected:
            assert detector.evidence == 1.0
            stream.reset()


def test_a_rank_is_that_of_the_error():
    """Squared errors come to what a stream of the errors comes to."""
    alarm = DriftAlarm(
        name="d", warmup=Span(500.0), block=Span(5.0), one_false_alarm_per=Span(5000.0)
    )
    detector, stream = SOON[2].clone(), DriftStream(alarm)
    rng = random.Random(4)
    for place in range(3000):
        error = rng.gauss(0, 1 if place < 1500 else 2)
        assert detector.waiting == stream.waiting
        detector.update(error * error)
        assert detector.drift_detected == bool(stream.update(error))
        assert detector.evidence == stream.evidence[0]
        if detector.drift_detected:
            break
    assert 1500 < place < 1700
    detector.update(1.0)
    assert detector.waiting == 100
    assert 0 < detector.since_change <= place + 1 - 1500 + 50


@pytest.mark.parametrize("detector", SOON, ids=repr)
def test_copies_go_on_where_it_was(detector):
    """Pickled or deeply copied it goes on; a clone is new."""
    first, rest = losses(6000)[:2050], losses(6000)[2050:]
    detector = detector.clone()
    detections(detector, first)
    copies = [copy.deepcopy(detector), pickle.loads(pickle.dumps(detector))]
    fresh = detections(detector.clone(), rest)
    found = detections(detector, rest)
    assert found
    assert [detections(each, rest) for each in copies] == [found, found]
    assert fresh != found or detector.block == 1  # then one event may be all it takes


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0, -5e-324, "1", None, 1j])
@pytest.mark.parametrize("detector", SOON, ids=repr)
def test_what_is_no_loss_changes_nothing(detector, bad):
    """It is refused with a reason, also right after a detection, which stays told."""
    detector = detector.clone()
    found = 0
    for loss in losses(3000):
        detector.update(loss)
        if detector.drift_detected or not found:
            found += 1
            before = pickle.dumps(detector)
            with pytest.raises(RejectedEvent, match="loss is") as raised:
                detector.update(bad)
            assert raised.value.reason in {Reason.NOT_FINITE, Reason.WRONG_TYPE}
            assert pickle.dumps(detector) == before
    assert found > 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (BudgetDetector, "has max_rmse=None and max_mean=None; give one"),
        (lambda: BudgetDetector(1.0, 1.0), r"has max_rmse=1.0 and max_mean=1.0; give one"),
        (lambda: BudgetDetector(-1.0), "has max_rmse: -1.0; must be a number above 0"),
        (lambda: BudgetDetector(max_mean=-1.0), "has max_mean: -1.0; must be a number above 0"),
        (lambda: BudgetDetector(max_mean="1"), "has max_mean: '1'; must be a number above 0"),
        (lambda: BudgetDetector(1.0, block=0), "has block which is 0; must be from 1"),
        (lambda: BudgetDetector(1.0, block="30s"), "has block: '30s'; must be a number of events"),
        (lambda: BudgetDetector(1.0, one_false_alarm_per=10), "less than 100 blocks of 10 events"),
        (lambda: BudgetDetector(1.0, loss_cap=1.0), "has loss_cap: 1.0; must be above 1"),
        (lambda: RankDetector(warmup=10), "has a warm-up of 1 blocks of 10 events"),
        (lambda: RankDetector(tolerance=-1), "has tolerance: -1; must be from 0%"),
    ],
)
def test_wrong_parameters_are_told(make, message):
    """Each with its name, what was found and what is allowed."""
    with pytest.raises(ValueError, match=f"^(Budget|Rank)Detector .*{message}"):
        make()


def test_error_rates_are_means():
    """With errors of 0 and 1 the budget is the error rate."""
    rng = random.Random(1)
    rates = [0.1] * 5000 + [0.3] * 1000
    wrong = [int(rng.random() < rate) for rate in rates]
    (first, *_) = detections(BudgetDetector(max_mean=0.15), wrong)
    assert 5000 < first < 5500


@pytest.mark.parametrize("detector", [BudgetDetector(max_mean=0.4), RankDetector(warmup=500)])
def test_works_in_a_retraining_classifier(detector):
    """The wrapper of river takes it; what detects drifts restarts the model."""
    model = drift.DriftRetrainingClassifier(
        model=preprocessing.StandardScaler() | linear_model.LogisticRegression(),
        drift_detector=detector.clone(),
        train_in_background=False,
    )
    score = evaluate.progressive_val_score(datasets.Phishing(), model.clone(), metrics.Accuracy())
    assert score.get() > 0.8
    stubborn = drift.DriftRetrainingClassifier(
        linear_model.LogisticRegression(), BudgetDetector(max_mean=0.2), train_in_background=False
    )
    first = stubborn.model
    for _ in range(500):  # the label is the contrary of what it says
        stubborn.learn_one({"a": 1.0}, not stubborn.predict_one({"a": 1.0}))
    assert stubborn.model is not first
