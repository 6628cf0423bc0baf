"""Printed formulas, numbers and pages."""
