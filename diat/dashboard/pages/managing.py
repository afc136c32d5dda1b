"""The pages for whoever runs the platform: security and operation."""

from __future__ import annotations

from diat.dashboard.pages import (
    audit,
    backups,
    firmware,
    joining,
    log,
    operation,
    policies,
    policy,
    rollout,
    security,
    settings,
    tokens,
    user,
    why,
)
from diat.dashboard.registry import Page

MANAGING: tuple[Page, ...] = (
    security.PAGE,
    user.PAGE,
    tokens.PAGE,
    policies.PAGE,
    policy.PAGE,
    why.PAGE,
    audit.PAGE,
    joining.PAGE,
    operation.PAGE,
    firmware.PAGE,
    rollout.PAGE,
    backups.PAGE,
    settings.PAGE,
    log.PAGE,
)
