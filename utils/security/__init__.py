"""Secrets that mask themselves, and the removal of secrets from text that leaves the process."""

from utils.security.redaction import RedactingFilter, Redactor, install_redaction
from utils.security.secret import Secret

__all__ = ["RedactingFilter", "Redactor", "Secret", "install_redaction"]
