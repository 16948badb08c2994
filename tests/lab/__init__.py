"""The lab: a stand-in for AWS on one machine, see README.md."""
