"""Probes on features: estimators, the nested comparison, scores, looking into a probe."""
