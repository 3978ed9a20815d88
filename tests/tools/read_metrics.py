"""Reads metrics on standard input by Prometheus' own parser; answers the samples as JSON.

The argument is the form: `prometheus` or `openmetrics`.
"""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

parse = {"prometheus": prometheus, "openmetrics": open_metrics}[sys.argv[1]]
samples = {}
for family in parse(sys.stdin.read()):
    for sample in family.samples:
        labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
        samples[f"{sample.name}{{{labels}}}"] = sample.value
    samples[f"{family.name} is a {family.type}"] = len(family.samples)
json.dump(samples, sys.stdout)
