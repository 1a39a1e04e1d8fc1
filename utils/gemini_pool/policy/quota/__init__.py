"""Quota of one (project, model): closures, windows, limits declared or learned, and projects nobody told of.

``project_quota.ProjectQuota`` is the whole; the rest are its parts. ``discovery`` finds out which projects are one.
"""
