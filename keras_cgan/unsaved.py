"""Models that are made of others, and are not what is saved."""


class Unsaved:
    """Mixin of `keras.Model`: every way of saving it raises an error that says what to save instead.

    Attributes:
        why_unsaved: What the error says.
    """

    why_unsaved = ""

    def get_config(self):
        raise NotImplementedError(self.why_unsaved)

    def save(self, *args, **kwargs):
        self.get_config()

    def save_weights(self, *args, **kwargs):
        self.get_config()

    def save_own_variables(self, store):
        # What keras.saving.save_weights() calls.
        self.get_config()
