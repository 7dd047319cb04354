"""What all GANs here share: training step, averaged weights, sampling, saving and loading."""

import keras
import numpy as np
import tensorflow as tf

from ecg_tf.base.errors import InputError
from ecg_tf.models.devices import (
    mean_over_all,
    next_rows,
    random_share,
    to_be_summed,
    train_function,
)
from ecg_tf.models.layers import number_layers
from ecg_tf.models.learning_rate import HoldThenFall
from ecg_tf.models.privacy import confusion_loss
from ecg_tf.models.sampling import count_conditions, sample_images

LEARNING_RATE, DECAY = 0.001, 0.7  # the defaults of an `Experiment`


@keras.saving.register_keras_serializable(package="ecg_tf")
class GAN(keras.Model):
    """Trains a generator against a discriminator; a loss family overrides the losses.

    A subclass gives `discriminator_loss`, `generator_loss` and, if it has one, `penalty`. One step
    updates the discriminator `n_critic` times, then the generator once, then the averaged generator
    (EMA), whose weights generate all images outside of training.

    Args:
        generator: keras.Model, latents (batch, latent_dim) or [latents, labels] -> images.
        discriminator: keras.Model, images or [images, labels] -> scores (batch, 1).
        ema_decay: float, largest decay of the averaged weights, default 0.999; early on it is
            (1 + step) / (10 + step), so that the random start is soon forgotten.
        identity: keras.Model, images -> logits (batch, persons), frozen, of `models.privacy`.
        identity_weight: float, weight of the identity-adversarial loss, default 0.
        seed: int, seed of the latents in training, default 0.

    Example:
        >>> gan = R1GAN(build_generator((32, 64, 2)), build_discriminator((32, 64, 2)))
        >>> gan.compile()
        >>> fit_gan(gan, dataset, steps=1000)
        >>> gan.generate(16, seed=1).shape
        (16, 32, 64, 2)
    """

    n_critic = 1
    penalty_every = 0  # 0: this family has no penalty
    relativistic = False  # whether the generator's loss looks at real images too
    beta_1 = 0.0  # of Adam
    matching_weight = 0.3  # of `matching_loss`, where there are labels
    penalty_now = None  # None: decided in the step; several devices decide it before

    def __init__(self, generator, discriminator, *, ema_decay=0.999, identity=None,
                 identity_weight=0.0, seed=0, name=None, **kwargs):
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
        self.ema_decay, self.seed = float(ema_decay), int(seed)
        self.identity, self.identity_weight = identity, float(identity_weight)
        self.latent_dim = generator.inputs[0].shape[-1]
        self.conditions = count_conditions(generator)
        self.image_shape = tuple(generator.output_shape[1:])
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.step = self.add_weight(name="step", shape=(), dtype="int64", initializer="zeros",
                                    trainable=False)
        names = ("d_loss", "g_loss", "real_score", "generated_score", "g_grad_norm")
        if identity is not None:
            identity.trainable = False
            names += ("identity_loss",)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}
        self.built = True

    # What a loss family overrides

    def discriminator_loss(self, real_scores, generated_scores):
        """Scores (batch, 1) of real and generated images -> loss, a scalar."""
        raise TypeError(f"{type(self).__name__} has no loss: use DCGAN, WGANGP or R1GAN.")

    def generator_loss(self, real_scores, generated_scores):
        """Scores -> loss, a scalar; `real_scores` is None unless `relativistic`."""
        raise TypeError(f"{type(self).__name__} has no loss: use DCGAN, WGANGP or R1GAN.")

    def penalty(self, images, generated, labels=None):
        """What is added to the discriminator's loss every `penalty_every` steps, a scalar."""
        return tf.constant(0.0)

    # Training

    def compile(self, g_optimizer=None, d_optimizer=None, *, steps=0, steps_per_execution=1,
                run_eagerly=False, jit_compile=False):
        """Sets the optimizers and builds their state.

        Args:
            g_optimizer, d_optimizer: of generator and discriminator, default `self.adam(steps)`.
            steps: int, of the training, towards whose end the default learning rate falls; default
                0: it does not.
            steps_per_execution: int, steps run in one call, default 1.
            run_eagerly: bool, for looking into a step, default False.
            jit_compile: bool, default False: on a CPU it made steps slower.
        """
        own = {"steps_per_execution": steps_per_execution, "run_eagerly": run_eagerly,
               "jit_compile": jit_compile}
        super().compile(optimizer=None, **own)  # else Keras would add a hidden RMSprop
        self.g_optimizer = keras.optimizers.get(g_optimizer or self.adam(steps))
        self.d_optimizer = keras.optimizers.get(d_optimizer or self.adam(steps))
        # An optimizer that is not built yet loses its state silently when a model is loaded.
        self.g_optimizer.build(self.generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self._own_compile = own

    def adam(self, steps=0, learning_rate=LEARNING_RATE, decay=DECAY):
        """Adam as experiments use it; over the last share `decay` of `steps` its rate falls."""
        rate = HoldThenFall(learning_rate, round(steps * (1 - decay)), steps)
        return keras.optimizers.Adam(rate if steps and decay else learning_rate, self.beta_1, 0.99)

    def train_step(self, data):
        images, labels = self.unpack(data)
        for _ in range(self.n_critic - 1):
            self.update_discriminator(images, self.sample(tf.shape(images)[0], labels), labels)
        with tf.GradientTape() as sampling:
            generated = self.sample(tf.shape(images)[0], labels)
        logs = self.update_discriminator(images, generated, labels)
        # The images the discriminator just saw serve the generator too: the updated discriminator
        # says how each pixel should change, and `sampling` carries that on to the weights.
        with tf.GradientTape() as tape:
            tape.watch(generated)
            loss, values = self.generator_objective(images, generated, labels)
        pixels, weights = tape.gradient(loss, generated), self.generator.trainable_variables
        gradients = sampling.gradient(generated, weights, output_gradients=pixels)
        self.g_optimizer.apply(to_be_summed(gradients), weights)
        self.step.assign(self.step + 1)
        self.update_ema()
        return self.track(**logs, **values,
                          g_grad_norm=tf.linalg.global_norm(mean_over_all(gradients)))

    def unpack(self, data):
        """A batch -> (images, labels (batch, conditions)); None where the GAN has no conditions."""
        images, *labels = data if isinstance(data, (tuple, list)) else (data,)
        labels = tf.cast(labels[0], tf.float32) if self.conditions else None
        return tf.convert_to_tensor(images), labels

    def sample(self, n, labels=None):
        """`n` generated images as training sees them, of random latents."""
        latents = random_share(
            lambda n: keras.random.normal((n, self.latent_dim), seed=self.seed_generator), n)
        return self.generator(latents if labels is None else [latents, labels], training=True)

    def discriminator_objective(self, images, generated, labels=None):
        """(loss without penalty, what is logged)."""
        real, fake = self.score(images, labels), self.score(generated, labels)
        loss = self.discriminator_loss(real, fake)
        if labels is not None:
            loss += self.matching_weight * self.matching_loss(images, labels, real)
        return loss, {"d_loss": loss, "real_score": tf.reduce_mean(real),
                      "generated_score": tf.reduce_mean(fake)}

    def matching_loss(self, images, labels, scores):
        """Real images must score higher with their own labels than with another image's (the wrong
        pairs of Reed 2016, arXiv:1605.05396, here relativistic). Without it the discriminator looks
        at labels late; at full weight the generator exaggerates them.

        Measured on PTB-XL, lead II, 1,500 steps: a classifier of real strips found labels with a
        mean AUROC of 0.74 at weight 0, 0.80 at 0.3, 0.89 at 1, in real strips 0.85.
        """
        return tf.reduce_mean(tf.nn.softplus(self.score(images, next_rows(labels)) - scores))

    def generator_objective(self, images, generated, labels=None):
        """(what the generator minimizes, what is logged)."""
        real = self.score(images, labels) if self.relativistic else None
        loss = self.generator_loss(real, self.score(generated, labels))
        if self.identity is None:
            return loss, {"g_loss": loss}
        named = confusion_loss(self.identity(generated, training=False))
        return loss + self.identity_weight * named, {"g_loss": loss, "identity_loss": named}

    def update_discriminator(self, images, generated, labels=None):
        """One step of the discriminator, with the penalty where it is due; returns what to log."""
        weights = self.discriminator.trainable_variables
        with tf.GradientTape() as tape:
            loss, logs = self.discriminator_objective(images, generated, labels)
        gradients = tape.gradient(loss, weights)
        if self.penalty_every and self.penalty_now is not False:
            pairs = zip(gradients, self.penalty_gradients(images, generated, labels), strict=True)
            gradients = [ours + its for ours, its in pairs]
        self.d_optimizer.apply(to_be_summed(gradients), weights)
        return logs

    def penalty_gradients(self, images, generated, labels=None):
        """The penalty's gradients: lazily, every k-th step, k times as strong (Karras 2020)."""
        weights = [weight.value for weight in self.discriminator.trainable_variables]

        def gradients():
            with tf.GradientTape() as tape:
                value = self.penalty_every * self.penalty(images, generated, labels)
            # A slope does not depend on every bias: zero there, not None.
            zero = tf.UnconnectedGradients.ZERO
            return tape.gradient(value, weights, unconnected_gradients=zero)

        if self.penalty_every == 1 or self.penalty_now:
            return gradients()
        # Differentiated inside the branch: a skipped step then takes no time.
        return tf.cond(tf.equal(self.step.value % self.penalty_every, 0), gradients,
                       lambda: [tf.zeros(weight.shape) for weight in weights])

    def score(self, images, labels=None):
        """The discriminator's scores (batch, 1) of images (under the conditions `labels`)."""
        return self.discriminator(images if labels is None else [images, labels], training=True)

    def update_ema(self):
        """Moves the averaged generator towards the generator."""
        step = tf.cast(self.step.value, "float32")
        rate = 1.0 - tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        pairs = zip(self.ema_generator.weights, self.generator.weights, strict=True)
        for average, weight in pairs:
            average.assign(average + rate * (weight - average))

    @property
    def metrics(self):
        return list(self.trackers.values())

    def track(self, **values):
        """Updates the metrics and returns all of them."""
        for name, value in values.items():
            self.trackers[name].update_state(value)
        return {metric.name: metric.result() for metric in self.metrics}

    @property
    def distribute_strategy(self):
        # Not the one of the scope: `models.devices` says why Keras is not to spread the work.
        return tf.distribute.get_strategy()

    def make_train_function(self, force=False):
        if self.strategy is None:
            super().make_train_function(force)
        elif force or self.train_function is None:
            self.train_function = train_function(self, self.strategy)

    # Sampling

    def call(self, latents, training=False):
        return self.ema_generator(latents, training=training)

    def generate(self, n, seed, batch_size=64, labels=None):
        """Images (n, height, width, channel) float32 of the averaged weights; see `sample_images`.

        Args:
            n: int, number of images.
            seed, batch_size: int, as there.
            labels: (n, conditions), if it has conditions. Default: each of them alone, in turn.
        """
        if self.conditions and labels is None:
            labels = np.eye(self.conditions)[np.arange(n) % self.conditions]
        return sample_images(self, n, seed, labels, batch_size)

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
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = {name: keras.saving.deserialize_keras_object(config[name], custom_objects)
                 for name in ("generator", "discriminator", "identity") if name in config}
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

    def random_states(self):
        """Name -> generator of random numbers, of which Keras saves none: latents, dropout."""
        layers = [layer for layer in self.discriminator._flatten_layers()  # of networks in it, too
                  if getattr(layer, "seed_generator", None) is not None]
        return {"seed_state": self.seed_generator,
                **{f"seed_state_{layer.name}": layer.seed_generator for layer in layers}}

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for name, random in self.random_states().items():
            store[name] = np.asarray(random.state)

    def load_own_variables(self, store):
        own = {name: store[name] for name in store.keys()}
        for name, random in self.random_states().items():
            random.state.assign(own.pop(name))
        super().load_own_variables(own)


def _check_pair(generator, discriminator):
    made, expected = tuple(generator.output_shape[1:]), tuple(discriminator.inputs[0].shape[1:])
    if made != expected or count_conditions(generator) != count_conditions(discriminator):
        raise InputError("Generator and discriminator do not fit together.", got=expected,
                         expected=f"a discriminator for images of shape {made}, and as many labels",
                         fix="build both with the same image_shape and conditions")
