"""What HTML pages share: templates, numbers as text, drawings."""
