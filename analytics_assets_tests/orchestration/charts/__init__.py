"""The room of pictures: what is drawn, and how it becomes metadata."""
