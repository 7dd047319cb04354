"""Looking into a GAN with sliders: through its latent space, and step by step through its training.

As in `explorers`, an executed report gets one still picture instead.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ecg_tf.base.checks import count, number
from ecg_tf.base.errors import InputError
from ecg_tf.figures.ecg_paper import ecg_paper
from ecg_tf.figures.explorers import MARK, is_live, keep_out_of_collections
from ecg_tf.figures.image_plots import draw_image
from ecg_tf.figures.plots import png_of, show
from ecg_tf.figures.style import in_style
from ecg_tf.images.codec import Codec
from ecg_tf.signals.filtering import low_pass
from ecg_tf.training.conditions import Conditions

SECONDS = 6.0  # of a decoded window that are shown
STILLS = 5  # pictures in a still of a training
_IMAGES = 192  # from which the directions are learned


class LatentExplorer:
    """Walks through the latent space of a generator: from one ECG to another, and along directions.

    The way from one latent vector to another is an arc: vectors of normal numbers lie near a
    sphere, and a straight line would cut through its middle, where the generator never was.
    Directions are those along which generated images differ most: d_k is the mean of z times the
    k-th principal component of G(z), made a unit vector (Härkönen et al. 2020 start alike).

    Args:
        generator: keras.Model, latents (batch, latent_dim) -> images, such as `gan.ema_generator`.
        codec: `Codec` of its images.
        high: Hz, low-pass of decoded ECGs, as in `synthesize`. Default 0, none.
        directions: int, sliders beside the arc. Default 3.
        seed: int, for the images the directions are learned from.
        conditions: `Conditions` of a generator that was trained with labels. Default None.

    Example:
        >>> figure = LatentExplorer(gan.ema_generator, codec).figure(0, 1, mix=0.5)
    """

    def __init__(self, generator, codec: Codec, high: float = 0.0, directions: int = 3,
                 seed: int = 0, conditions: Conditions | None = None):
        self.generator, self.codec, self.high = generator, codec, high
        self.conditions = conditions
        self.labels = None if conditions is None else conditions.draw(1, seed)[0]
        shapes = generator.input_shape  # one, or with labels two
        self.latent_dim = int((shapes if conditions is None else shapes[0])[-1])
        count(directions, "directions", 1, min(self.latent_dim, 12))
        latents = np.random.default_rng(seed).standard_normal((_IMAGES, self.latent_dim))
        flat = self._images(latents).reshape(_IMAGES, -1)
        scores, sizes, _ = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
        ways = latents.T @ (scores[:, :directions] * sizes[:directions])
        norms = np.linalg.norm(ways, axis=0)
        self.directions = (ways / np.where(norms > 0, norms, 1.0)).T

    def latent(self, first: int = 0, second: int = 1, mix: float = 0.0, along=()) -> np.ndarray:
        """A place in the latent space: (latent_dim,).

        Args:
            first, second: numbers of two ECGs; each number always names the same one.
            mix: 0 for the first, 1 for the second, between them a place on the arc.
            along: (direction,) steps along the directions, in standard deviations.
        """
        from ecg_tf.models.sampling import arc_latents

        place = arc_latents(self.latent_dim, first, second, [number(mix, "mix", 0, 1)])[0]
        steps = np.array([number(step, "along", -10, 10) for step in along], float)
        return place + steps @ self.directions[: len(steps)]

    def generate(self, latents):
        """Images and decoded ECGs of latent vectors.

        Args:
            latents: (n, latent_dim).

        Returns:
            images (n, height, width, channel), and a list of n arrays (time, lead) mV.
        """
        images = self._images(np.asarray(latents))
        return images, _decoded(self.codec, images, self.high)

    def figure(self, first: int = 0, second: int = 1, mix: float = 0.0, along=()) -> Figure:
        """The ECG at one place, on paper; arguments as in `latent`."""
        _, strips = self.generate(self.latent(first, second, mix, along)[None])
        return _paper(strips, self.codec, [f"ECG {first} to {second}, {mix:.0%} of the way"])

    def still(self, first: int = 0, second: int = 1) -> Figure:
        """Evenly spaced places on the arc, below each other."""
        from ecg_tf.models.sampling import arc_latents

        return arc_figure(self._images(arc_latents(self.latent_dim, first, second)), self.codec,
                          self.high)

    def _images(self, latents) -> np.ndarray:
        inputs = latents.astype(np.float32)
        if self.labels is not None:
            inputs = [inputs, np.tile(self.labels, (len(inputs), 1)).astype(np.float32)]
        return np.asarray(self.generator(inputs, training=False), np.float32)


class Replay:
    """A training step by step: the images of the same latent vectors, and what was measured.

    Args:
        folder: of a run: `samples/step_*.npy`, `history.csv`.
        codec: `Codec` of its images. Default: the folder's codec.json.
        high: Hz, low-pass of decoded ECGs. Default 0, none.

    Raises:
        InputError: no samples in the folder, or none that fit the codec.

    Example:
        >>> figure = Replay("runs/quickstart").figure(step=400)
    """

    def __init__(self, folder, codec: Codec | None = None, high: float = 0.0):
        self.folder, self.high = Path(folder), high
        self.codec = Codec.load(self.folder / "codec.json") if codec is None else codec
        files = sorted((self.folder / "samples").glob("step_*.npy"))
        self.images = {}
        for file in files:
            try:
                images = np.load(file, allow_pickle=False)
                self.images[int(file.stem.removeprefix("step_"))] = images
                self.codec.decode(images[:1])
            except (OSError, ValueError, EOFError) as error:
                raise InputError(f"'{file}' cannot be replayed.", expected="sample images of the "
                                 f"run, (n, {', '.join(map(str, self.codec.image_shape))})",
                                 got=f"{error}"[:120], fix="delete it") from error
        if not self.images:
            raise InputError(f"'{self.folder}' holds no samples to replay.", got="none",
                             expected="samples/step_*.npy", fix="train the experiment first")
        self.samples = min(len(images) for images in self.images.values())
        table = self.folder / "history.csv"
        self.history = pd.read_csv(table) if table.is_file() else pd.DataFrame()

    @property
    def steps(self) -> list[int]:
        """Steps at which images were kept."""
        return list(self.images)

    def figure(self, step: int, sample: int = 0) -> Figure:
        """Sample `sample` at `step` (one of `steps`), decoded, on ECG paper."""
        if step not in self.images:
            raise InputError("No images were kept at this step.", got=str(step)[:40],
                             expected=f"one of {', '.join(map(str, self.steps))}",
                             fix="choose one of these")
        sample = count(sample, "sample", 0, self.samples - 1)
        strips = _decoded(self.codec, self.images[step][sample : sample + 1], self.high)
        return _paper(strips, self.codec, [f"sample {sample} after {step:,} steps"])

    @in_style
    def picture(self, step: int, sample: int = 0) -> Figure:
        """The image itself, and where the step lies in the history."""
        figure = Figure(figsize=(10.6, 2.3), dpi=80)
        side = figure.add_axes((0.02, 0.08, 0.3, 0.78))
        draw_image(side, self.images[step][sample, ..., 0], vmin=-1, vmax=1)
        side.set_title("image, first channel")
        for place, title, names in ((0.39, "d_loss (solid), g_loss (dashed)", ("d_loss", "g_loss")),
                                    (0.72, "diversity", ("diversity",))):
            ax = figure.add_axes((place, 0.2, 0.26, 0.66))
            for name, dash in zip(names, ("-", "--"), strict=False):
                if name in self.history:
                    ax.plot(self.history["step"], self.history[name], dash, color="#444444",
                            linewidth=1)
            ax.axvline(step, color=MARK, linewidth=2)
            ax.set_title(title)
            ax.tick_params(labelsize=8.5)
        figure.alt_text = f"The image of sample {sample} and the history, step {step} marked."
        return figure

    def still(self, sample: int = 0) -> Figure:
        """The same sample at `STILLS` steps, closer in time at first, below each other."""
        last = len(self.steps) - 1
        places = np.unique(np.rint(last * np.linspace(0, 1, STILLS) ** 1.5).astype(int))
        chosen = [self.steps[place] for place in places]
        strips = [_decoded(self.codec, self.images[step][sample : sample + 1], self.high)[0]
                  for step in chosen]
        return _paper(strips, self.codec, [f"after {step:,} steps" for step in chosen])


def arc_figure(images, codec: Codec, high: float) -> Figure:
    """ECGs of images evenly spaced on the way between two latent vectors, below each other."""
    titles = [f"{mix:.0%} of the way" for mix in np.linspace(0, 1, len(images))]
    return _paper(_decoded(codec, images, high), codec, titles)


def _decoded(codec: Codec, images, high: float) -> list[np.ndarray]:
    """ECGs of images, cut to `SECONDS`: (time, lead) mV each."""
    windows = low_pass(codec.decode(images), high)
    most = round(SECONDS * codec.fs)
    return [signal[: min(length, most)]
            for signal, length in zip(windows.signals, windows.lengths, strict=True)]


def _paper(strips, codec: Codec, titles) -> Figure:
    """Decoded ECGs on paper, all leads, below each other."""
    return ecg_paper(strips, codec.fs, titles, real=False, leads=codec.leads)


def explore_latents(generator, codec: Codec, high: float = 0.0, interactive: bool | None = None,
                    arc=None, conditions: Conditions | None = None):
    """Shows sliders for the latent space; without a reader, a still figure.

    Args:
        generator, codec, high: as for `LatentExplorer`; or the path of a kept generator.
        interactive: bool; None asks `is_live`.
        arc: images of `arc_latents` for the still, which then needs no generator. Default None.
        conditions: `Conditions` of a generator that was trained with labels: each has a checkbox,
            the age a slider. Default None.

    Returns:
        the widget that was shown, or None.
    """
    live = is_live() if interactive is None else interactive
    if isinstance(generator, str | Path) and (live or arc is None):
        import keras

        import ecg_tf.models  # noqa: F401  so that its layers can be read

        generator = keras.saving.load_model(generator, compile=False)
    if not live and arc is not None:
        figure = arc_figure(arc, codec, high)
    else:
        explorer = LatentExplorer(generator, codec, high, conditions=conditions)
        figure = None if live else explorer.still()
    if figure is not None:
        return show(figure, "From one synthetic ECG to another, on an arc through the latent "
                    "space. In JupyterLab the way is a slider, and so are the directions along "
                    "which generated images differ most.")
    import ipywidgets as w

    style, wide = {"description_width": "8em"}, w.Layout(width="32em")
    numbers = [w.BoundedIntText(value=k, min=0, max=999_999, description=name, style=style,
                                layout=w.Layout(width="16em"))
               for k, name in enumerate(("from ECG no.", "to ECG no."))]
    mix = w.FloatSlider(max=1, step=0.02, description="way", style=style, layout=wide)
    along = [w.FloatSlider(min=-4, max=4, step=0.2, description=f"direction {k + 1}", style=style,
                           layout=wide) for k in range(len(explorer.directions))]
    picture, words = w.Image(format="png"), w.HTML()
    labels = _label_widgets(explorer)

    def update(_=None):
        if labels:
            explorer.labels = np.array([float(widget.value) for widget in labels])
            if conditions.ages:
                explorer.labels[-1] = conditions.age_number(labels[-1].value)
        figure = explorer.figure(*(widget.value for widget in numbers), mix.value,
                                 [widget.value for widget in along])
        picture.value, words.value = png_of(figure), figure.alt_text

    wrapped = [w.HBox(labels, layout=w.Layout(flex_flow="row wrap"))] if labels else []
    return _widget([w.HBox(numbers), mix, *along, *wrapped], [*numbers, mix, *along, *labels],
                   update, picture, words)


def _label_widgets(explorer: LatentExplorer) -> list:
    """A checkbox for each statement, a slider for the age, set to the explorer's labels."""
    import ipywidgets as w

    if explorer.conditions is None or explorer.labels is None:
        return []
    out = [w.Checkbox(bool(value > 0.5), description=" ".join(column), indent=False,
                      layout=w.Layout(width="11em"))
           for column, value in zip(explorer.conditions.columns, explorer.labels, strict=False)]
    if explorer.conditions.ages:
        _, low, high = explorer.conditions.ages
        out.append(w.FloatSlider(explorer.conditions.years(explorer.labels[-1]), min=low, max=high,
                                 step=1, description="age, years"))
    return out


def explore_training(folder, codec: Codec | None = None, high: float = 0.0,
                     interactive: bool | None = None):
    """Shows a training step by step, with a slider and a play button; or a still figure.

    Args:
        folder, codec, high: as for `Replay`.
        interactive: bool; None asks `is_live`.

    Returns:
        the widget that was shown, or None.
    """
    replay = Replay(folder, codec, high)
    if not (is_live() if interactive is None else interactive):
        return show(replay.still(), "The same latent vector along the training, decoded. In "
                    "JupyterLab the step is a slider, and the training can be played.")
    import ipywidgets as w

    last, style = len(replay.steps) - 1, {"description_width": "6em"}
    place = w.IntSlider(max=last, value=last, description="check", style=style,
                        layout=w.Layout(width="32em"))
    play = w.Play(value=last, max=last, interval=500)
    w.jslink((play, "value"), (place, "value"))
    sample = w.IntSlider(max=replay.samples - 1, description="sample", style=style)
    picture, below, words = w.Image(format="png"), w.Image(format="png"), w.HTML()

    def update(_=None):
        step = replay.steps[place.value]
        picture.value = png_of(replay.figure(step, sample.value))
        below.value = png_of(replay.picture(step, sample.value))
        words.value = f"Step {step:,}, sample {sample.value}, decoded."

    return _widget([w.HBox([play, place, sample])], [place, sample], update, picture, below, words)


def _widget(rows, controls, update, *shown):
    """Shows controls above what follows them."""
    import ipywidgets as w
    from IPython.display import display

    for control in controls:
        control.observe(update, "value")
    update()
    keep_out_of_collections()
    box = w.VBox([*rows, *shown])
    display(box)
    return box
