"""Late truth: predictions and truths that come apart, joined by their id."""
