"""Exact metrics and live monitoring for river. This folder alone imports river.

>>> from river import datasets, evaluate, linear_model, preprocessing
>>> from losswatch.river import MSE, RMSE
>>> model = preprocessing.StandardScaler() | linear_model.LinearRegression()
>>> evaluate.progressive_val_score(datasets.TrumpApproval(), model, RMSE() + MSE())
RMSE: 3.911981
MSE: 15.303595
"""

from losswatch.river.detectors import BudgetDetector, RankDetector
from losswatch.river.metrics import MAE, MSE, RMSE, Bias
from losswatch.river.monitored import Monitored
from losswatch.river.time_windows import TimeRolling
from losswatch.river.windows import Rolling

__all__ = [
    "MAE",
    "MSE",
    "RMSE",
    "Bias",
    "BudgetDetector",
    "Monitored",
    "RankDetector",
    "Rolling",
    "TimeRolling",
]
