"""Feedback (意见建议): what workers complain about or suggest, as 国办函〔2026〕12号 demands of such systems."""
