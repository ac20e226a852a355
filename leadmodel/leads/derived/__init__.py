"""Derive fields from columns that say who a lead is, and keep what they say without saying who."""
