"""What pytest leaves alone: the sample packages are tested where they are installed."""

collect_ignore = ["third_party"]
