"""A scraped text as a dictionary."""

from prometheus_client.parser import text_string_to_metric_families


def samples(text):
    """The values of the text, each by its name followed by its labels in order: ("c_total", ("a", "1"))."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
