"""What would have cured an alarm that wastes attention, and how a proposal becomes a change of its rule."""
