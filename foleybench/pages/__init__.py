"""Share among HTML pages: templates, numbers as text, drawings."""
