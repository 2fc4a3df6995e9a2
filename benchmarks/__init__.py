"""Time and memory, measured in whole processes; results/ holds the last run with its machine."""
