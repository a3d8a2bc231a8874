"""Telling units outside of the product: notices by e-mail and to webhooks, each once."""
