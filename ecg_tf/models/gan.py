"""What all GANs here share: train step, averaged weights, drawing images, saving and loading."""

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.models.identity import confusion_loss
from ecg_tf.models.names import number_layers
from ecg_tf.models.replica_batch import (
    draw_share,
    mean_over_all,
    share,
    to_be_summed,
    train_function,
)
from ecg_tf.models.sampling import draw, latents_of

_PACKAGE = "ecg_tf"


@keras.saving.register_keras_serializable(package=_PACKAGE)
class GAN(keras.Model):
    """Trains a generator against a discriminator; a loss family overrides the three losses.

    A subclass gives `discriminator_loss`, `generator_loss` and, if it has one, `penalty`. One step
    updates the discriminator `n_critic` times, then the generator once, then the averaged generator
    (EMA), whose weights draw all images outside of training.

    Args:
        generator: keras.Model, latents (batch, latent_dim) -> images.
        discriminator: keras.Model, images -> scores (batch, 1).
        ema_decay: float, largest decay of the averaged weights, default 0.999; early on it is
            (1 + step) / (10 + step), so that the random start is soon forgotten.
        augment: layer or registered function, images -> images of the same shape, differentiable,
            put before the discriminator on real and generated images alike, default None.
        identity: keras.Model, images -> logits (batch, persons), frozen, see `models.identity`:
            the generator pays for images in which it names a person. Default None.
        identity_weight: float, weight of that in the generator's loss, default 0.
        seed: int, seed of the latents drawn in training, default 0.

    Example:
        >>> gan = R1GAN(build_generator((32, 64, 2)), build_discriminator((32, 64, 2)))
        >>> gan.compile()
        >>> gan.fit(dataset, epochs=10, steps_per_epoch=100, shuffle=False)
        >>> gan.generate(16, seed=1).shape
        (16, 32, 64, 2)
    """

    n_critic = 1
    penalty_every = 0  # 0: this family has no penalty
    relativistic = False  # whether the generator's loss looks at real images too
    penalty_now = None  # None: decided in the step; several devices decide it before

    def __init__(
        self, generator, discriminator, *, ema_decay=0.999, augment=None, identity=None,
        identity_weight=0.0, seed=0, name=None, **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        _check_pair(generator, discriminator)
        if not 0 <= ema_decay < 1:
            raise InputError("'ema_decay' is out of range.", expected="0 <= ema_decay < 1",
                             got=ema_decay, fix="pass 0.999")
        for network in (generator, discriminator):
            number_layers(network)
        self.generator, self.discriminator = generator, discriminator
        self.ema_generator = keras.models.clone_model(generator)
        self.ema_generator.set_weights(generator.get_weights())
        self.ema_generator.trainable = False
        self.strategy = tf.distribute.get_strategy() if tf.distribute.has_strategy() else None
        self.ema_decay, self.augment, self.seed = float(ema_decay), augment, int(seed)
        self.identity, self.identity_weight = identity, float(identity_weight)
        self.latent_dim = generator.inputs[0].shape[-1]
        self.image_shape = tuple(generator.output_shape[1:])
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.step = self.add_weight(
            name="step", shape=(), dtype="int64", initializer="zeros", trainable=False
        )
        names = ("d_loss", "g_loss", "real_score", "generated_score", "g_grad_norm")
        if identity is not None:
            identity.trainable = False
            names += ("identity_loss",)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        if isinstance(augment, keras.layers.Layer):
            augment(keras.KerasTensor((None, *self.image_shape)))  # builds it
        self.built = True

    # What a loss family overrides

    def discriminator_loss(self, real_scores, generated_scores):
        """Scores (batch, 1) of real and generated images -> loss, a scalar."""
        raise TypeError(f"{type(self).__name__} has no loss: use DCGAN, WGANGP or R1GAN.")

    def generator_loss(self, real_scores, generated_scores):
        """Scores -> loss, a scalar; `real_scores` is None unless `relativistic`."""
        raise TypeError(f"{type(self).__name__} has no loss: use DCGAN, WGANGP or R1GAN.")

    def penalty(self, images, generated):
        """What is added to the discriminator's loss every `penalty_every` steps, a scalar."""
        return tf.constant(0.0)

    def default_optimizers(self):
        """(generator's, discriminator's) optimizer, for `compile()` without any."""
        return tuple(keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.999) for _ in range(2))

    # Training

    def compile(
        self, g_optimizer=None, d_optimizer=None, *, steps_per_execution=1, run_eagerly=False,
        jit_compile=False,
    ):
        """Sets the optimizers and builds their state.

        Args:
            g_optimizer: optimizer of the generator, default the family's own.
            d_optimizer: optimizer of the discriminator, default the family's own.
            steps_per_execution: int, steps run in one call, default 1.
            run_eagerly: bool, for looking into a step, default False.
            jit_compile: bool, default False: on a CPU it made steps slower.
        """
        # Without optimizer=None Keras would add a hidden RMSprop of its own.
        super().compile(
            optimizer=None,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
            jit_compile=jit_compile,
        )
        default_g, default_d = self.default_optimizers()
        self.g_optimizer = keras.optimizers.get(g_optimizer or default_g)
        self.d_optimizer = keras.optimizers.get(d_optimizer or default_d)
        # An optimizer that is not built yet loses its state silently when a model is loaded.
        self.g_optimizer.build(self.generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self._own_compile = {
            "steps_per_execution": steps_per_execution,
            "run_eagerly": run_eagerly,
            "jit_compile": jit_compile,
        }

    @property
    def metrics(self):
        return list(self.trackers.values())

    @property
    def distribute_strategy(self):
        # Not the one of the scope: `models.shares` says why Keras is not to spread the work.
        return tf.distribute.get_strategy()

    def make_train_function(self, force=False):
        if self.strategy is None:
            super().make_train_function(force)
        elif force or self.train_function is None:
            if type(self).train_step is not GAN.train_step:
                raise InputError(f"{type(self).__name__} is trained on one device only.",
                                 expected="DCGAN, R1GAN or WGANGP", got=type(self).__name__,
                                 fix="make it outside of the strategy's scope")
            self.train_function = train_function(self, self.strategy)

    def train_step(self, data):
        images = share(data[0] if isinstance(data, (tuple, list)) else data)
        batch = tf.shape(images)[0]
        for _ in range(self.n_critic - 1):
            self.discriminator_step(images, self.generator(self.draw_latents(batch), training=True))
        with tf.GradientTape() as drawing:
            generated = self.generator(self.draw_latents(batch), training=True)
        d_loss, real_scores, generated_scores = self.discriminator_step(images, generated)

        # The images the discriminator just saw serve the generator too: the updated discriminator
        # says how each pixel should change, and `drawing` carries that on to the weights.
        with tf.GradientTape() as tape:
            tape.watch(generated)
            real = self.score(images) if self.relativistic else None
            g_loss = paid = self.generator_loss(real, self.score(generated))
            if self.identity is not None:
                named = confusion_loss(self.identity(generated, training=False))
                paid = g_loss + self.identity_weight * named
        gradients = self.update_generator(drawing, generated, tape.gradient(paid, generated))
        return self.track(
            d_loss=d_loss,
            g_loss=g_loss,
            real_score=tf.reduce_mean(real_scores),
            generated_score=tf.reduce_mean(generated_scores),
            g_grad_norm=tf.linalg.global_norm(mean_over_all(gradients)),
            **({} if self.identity is None else {"identity_loss": named}),
        )

    def discriminator_step(self, images, generated):
        """One update of the discriminator; returns (loss without penalty, both scores)."""
        with tf.GradientTape() as tape:
            real_scores, generated_scores = self.score(images), self.score(generated)
            loss = self.discriminator_loss(real_scores, generated_scores)
        self.update_discriminator(tape, loss, images, generated)
        return loss, real_scores, generated_scores

    def update_discriminator(self, tape, loss, images, generated):
        """Applies the gradients of a taped loss, and those of the penalty where it is due."""
        weights = self.discriminator.trainable_variables
        gradients = tape.gradient(loss, weights)
        if self.penalty_every and self.penalty_now is not False:
            pairs = zip(gradients, self.penalty_gradients(images, generated), strict=True)
            gradients = [ours + its for ours, its in pairs]
        self.d_optimizer.apply(to_be_summed(gradients), weights)

    def update_generator(self, drawing, generated, pixels):
        """Ends a step: the tape of `generated` carries the gradients of its pixels to the weights.

        Returns the weights' gradients.
        """
        weights = self.generator.trainable_variables
        gradients = drawing.gradient(generated, weights, output_gradients=pixels)
        self.g_optimizer.apply(to_be_summed(gradients), weights)
        self.step.assign(self.step + 1)
        self.update_ema()
        return gradients

    def penalty_gradients(self, images, generated):
        """The penalty's gradients: lazily, every k-th step, k times as strong (Karras 2020)."""
        weights = self.discriminator.trainable_variables

        def gradients():
            with tf.GradientTape() as tape:
                value = self.penalty_every * self.penalty(images, generated)
            # A slope does not depend on every bias: zero there, not None.
            zero = tf.UnconnectedGradients.ZERO
            values = [weight.value for weight in weights]
            return tape.gradient(value, values, unconnected_gradients=zero)

        if self.penalty_every == 1 or self.penalty_now:
            return gradients()
        # Differentiated inside the branch: a skipped step then costs nothing at all.
        return tf.cond(
            tf.equal(self.step.value % self.penalty_every, 0),
            gradients,
            lambda: [tf.zeros(weight.shape) for weight in weights],
        )

    def score(self, images):
        """The discriminator's scores (batch, 1) of images, augmented if asked for."""
        if self.augment is not None:
            images = self.augment(images)
        return self.discriminator(images, training=True)

    def draw_latents(self, batch):
        return draw_share(lambda n: keras.random.normal((n, self.latent_dim),
                                                        seed=self.seed_generator), batch)

    def update_ema(self):
        """Moves the averaged generator towards the generator."""
        step = tf.cast(self.step.value, "float32")
        rate = 1.0 - tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        pairs = zip(self.ema_generator.weights, self.generator.weights, strict=True)
        for average, weight in pairs:
            average.assign(average + rate * (weight - average))

    def track(self, **values):
        """Updates the metrics and returns all of them."""
        for name, value in values.items():
            self.trackers[name].update_state(value)
        return {metric.name: metric.result() for metric in self.metrics}

    # Drawing images

    def call(self, latents, training=False):
        return self.ema_generator(latents, training=training)

    def generate(self, n, seed, batch_size=64, truncation=1.0):
        """Draws images from the averaged weights; the same ones for the same seed.

        Args:
            n: int, number of images.
            seed: int, seed of the latents; all are drawn first, so `batch_size` changes nothing but
                the last bits of the arithmetic.
            batch_size: int, images computed at once, default 64.
            truncation: float, scale of the latents: below 1 more typical, less diverse; default 1.

        Returns:
            images (n, height, width, channel) float32.

        Raises:
            InputError: `n` or `batch_size` is no positive number.
        """
        return draw(self, self.latents(n, seed, truncation), batch_size=batch_size)

    def latents(self, n, seed, truncation=1.0):
        """Latent vectors (n, latent_dim) float32 of a seed, see `drawing.latents_of`."""
        return latents_of(n, self.latent_dim, seed, truncation)

    # Saving and loading: weights, optimizers, averages and the state of the random numbers

    def get_config(self):
        own = {} if self.identity is None else {
            "identity": keras.saving.serialize_keras_object(self.identity),
            "identity_weight": self.identity_weight,
        }
        return {
            **own,
            "name": self.name,
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "ema_decay": self.ema_decay,
            "augment": keras.saving.serialize_keras_object(self.augment),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("generator", "discriminator", "augment", "identity")
            if name in config
        }
        return cls(**{**config, **parts})

    def get_compile_config(self):
        if not self.compiled:
            return {}
        return {
            "g_optimizer": keras.saving.serialize_keras_object(self.g_optimizer),
            "d_optimizer": keras.saving.serialize_keras_object(self.d_optimizer),
            **self._own_compile,
        }

    def compile_from_config(self, config):
        if config:
            self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["seed_state"] = np.asarray(self.seed_generator.state)

    def load_own_variables(self, store):
        own = {name: store[name] for name in store.keys()}
        self.seed_generator.state.assign(own.pop("seed_state"))
        super().load_own_variables(own)


def squared_slopes(score, images):
    """(batch,) squared gradient of `score(images)`, (batch, 1), by the pixels of each image."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = score(images)
    slopes = tape.gradient(scores, images)
    return tf.reduce_sum(tf.square(slopes), axis=[1, 2, 3])


def _check_pair(generator, discriminator):
    drawn, judged = tuple(generator.output_shape[1:]), tuple(discriminator.input_shape[1:])
    if drawn != judged:
        raise InputError(
            "Generator and discriminator do not fit together.",
            expected=f"a discriminator for images of shape {drawn}",
            got=judged,
            fix="build both with the same image_shape",
        )
