"""What Keras calls to save and to load an `AdversarialModel`."""

import keras


class Saving:
    """Mixin of `keras.Model`: saves its arguments, the seeds of its layers and the optimizers of all players.

    A constructor leaves its arguments in `_given`.
    """

    def get_config(self):
        """Called by Keras."""
        return keras.saving.serialize_keras_object(self._given)

    @classmethod
    def from_config(cls, config):
        """Called by Keras."""
        return cls(**keras.saving.deserialize_keras_object(config))

    def _seeds(self):
        """The states of dropout, noise and image pool: what Keras leaves out of all that it saves."""
        known = {id(weight) for weight in self.weights}
        return {f"seed_{n}": v for n, v in enumerate(self.variables) if id(v) not in known}

    def save_own_variables(self, store):
        """Called by Keras: with the seeds too, a loaded model goes on with the very same steps."""
        super().save_own_variables(store)
        for name, seed in self._seeds().items():
            store[name] = seed

    def load_own_variables(self, store):
        """Called by Keras."""
        names = set(store.keys())
        super().load_own_variables({name: store[name] for name in names if not name.startswith("seed_")})
        for name, seed in self._seeds().items():
            if name in names:
                seed.assign(store[name])

    def get_compile_config(self):
        """Called by Keras; `None` where the model is not compiled."""
        if not self.compiled:
            return None
        serialize = keras.saving.serialize_keras_object
        return {
            "optimizers": {player: serialize(optimizer) for player, optimizer in self.optimizers.items()},
            "run_eagerly": self.run_eagerly,
            "steps_per_execution": self.steps_per_execution,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config):
        """Called by Keras."""
        self.compile(**keras.saving.deserialize_keras_object(config))
