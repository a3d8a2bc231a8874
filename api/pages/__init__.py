"""Pages for people, in Chinese: rendered here, one module for each part of the menu, over the same services as HTTP."""
