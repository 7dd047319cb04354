"""What a report says in words: its summary, and what this experiment's own settings mean."""

import math

from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.gate import REIDENTIFIED
from ecg_tf.study.results import Result
from ecg_tf.training.conditions import IMBALANCE

LOSSES = {
    "dcgan": r"""Both networks play the original game of a GAN, the *cross-entropy* loss:

$$\mathcal L_D = \mathbb E\,\operatorname{softplus}(-D(x))
+ \mathbb E\,\operatorname{softplus}(D(G(z))),
\qquad \mathcal L_G = \mathbb E\,\operatorname{softplus}(-D(G(z))).$$""",
    "r1gan": r"""The loss is *relativistic*: each real image is compared with a generated one,

$$\mathcal L_D = \mathbb E\,\operatorname{softplus}\big(D(G(z)) - D(x)\big),
\qquad \mathcal L_G = \mathbb E\,\operatorname{softplus}\big(D(x) - D(G(z))\big),$$

and a penalty on the slope of $D$ at real and generated images (R1, R2) keeps the game stable.""",
    "wgan_gp": r"""The discriminator is a *critic*: it estimates the Wasserstein distance. A penalty
holds the norm of its gradient near 1:

$$\mathcal L_D = \mathbb E\,D(G(z)) - \mathbb E\,D(x)
+ \lambda\,\mathbb E\big(\lVert\nabla D(\hat x)\rVert - 1\big)^2,
\qquad \mathcal L_G = -\mathbb E\,D(G(z)).$$""",
}
LOSSES["acgan"] = LOSSES["r1gan"] + (" $D$ also names the labels of what it sees, and $G$ is "
                                      "rewarded where its own are named rightly (AC-GAN).")
LOSSES["beatgan"] = LOSSES["r1gan"] + (
    " The networks are of dense layers: of an image they see the mean beat, what each row differs "
    "from it, in principal components of the training images, and the rhythm.")
LOSSES["diffusion"] = r"""This is no GAN but a *denoising diffusion* model. An image $x$ is what the
networks of beats read of it; noise is added bit by bit, and the network $v$ learns to tell

$$z = \cos(a)\,x + \sin(a)\,\varepsilon, \qquad
\mathcal L = \mathbb E\,\big\lVert v(z, a) - \cos(a)\,\varepsilon + \sin(a)\,x \big\rVert^2,$$

from which image and noise follow. Images are made of pure noise, from which it is taken away in
40 steps. What the report calls discriminator is how well an image is denoised."""
LOSSES["wavegan"] = LOSSES["r1gan"] + " The convolutions run along time only."
SCALINGS = {
    "global": "The smallest and the largest sample of all training windows become -1 and 1.",
    "record": "The smallest and the largest sample of each record become -1 and 1; both are kept "
              "in a channel of their own.",
    "window": "The smallest and the largest sample of each window become -1 and 1; both are kept "
              "in a channel of their own.",
    "quantile": "Two quantiles of the training windows become -1 and 1; what lies outside is cut "
                "off.",
    "physical": "Fixed limits in mV become -1 and 1, the same for every database.",
    "companded": r"""The scale is *companded*, since most of an ECG lies within a few tenths of a
millivolt and only the R peaks reach far out:

$$y = \frac{\operatorname{asinh}(x / k)}{\operatorname{asinh}(L / k)}.$$

It is nearly linear below the knee $k$ and logarithmic up to the limit $L$. Its
inverse is exact.""",
}
ARRANGEMENTS = {
    "beat_rows": "In *beat rows* every row is one heartbeat, with the R peak in the same column. A "
                 "second channel holds the RR interval. Neighbouring pixels are alike in both "
                 "directions, which is what a convolution expects.",
    "beat_strips": "In *beat strips* one image is one whole strip, one heartbeat a row, with the R "
                   "peak in the same column. One channel holds the RR interval, another one says "
                   "which pixels lie within the strip; the other rows are empty.",
    "row_major": "In *row-major* order the strip is cut like the lines of a text.",
}


def summary(result: Result) -> str:
    """The first words of a report: how good, how safe, and the release gate. Markdown."""
    named = {measured.name: measured for measured in result.measures}
    inside = [row for row in named.values() if math.isfinite(row.baseline)
              and row not in result.verdict.privacy]
    good = [row.name for row in inside if row.at_baseline]
    bad = [row.name for row in inside if not row.at_baseline]
    gate = result.verdict.gate
    lines = [
        f"**What:** {result.content['synthetic_windows']:,} synthetic ECGs of a GAN trained for "
        f"{result.content['steps']:,} steps on {result.content['split']['train']} "
        f"{whose(result)}.",
        f"**Fidelity:** {_distance(named['MMD²'], whose(result))} {len(good)} of {len(inside)} "
        f"measures are within the real-vs-real baseline"
        + (f"; outside: {', '.join(bad)}." if bad else "."),
        f"**Beats:** a detector finds them in {named['detectable strips'].value:.0%} of the "
        f"synthetic strips and in {named['detectable strips'].baseline:.0%} of the real ones.",
        f"**Privacy:** {_privacy(named.get(REIDENTIFIED))}",
        f"**Release gate:** {'passed' if gate.passed else 'not passed'}. {_rows(gate)}",
    ]
    return "\n".join(f"- {line}" for line in lines)


def limits(result: Result) -> str:
    """What one run cannot show, as a sentence."""
    return (f"One training with seed {result.experiment.seed}: another seed gives other numbers. "
            "The intervals cover the sampling of persons and strips, not of trainings.")


def data_words(result: Result) -> str:
    """How the voltage was scaled and how samples became pixels. Markdown."""
    e = result.experiment
    default = f"The arrangement is *{e.arrangement}*; lesson 4 shows it."
    text = [f"**Scaling.** {SCALINGS[e.scaling]}",
            f"**Arrangement.** {ARRANGEMENTS.get(e.arrangement, default)}"]
    if set(result.codec.leads) - set(result.codec.image_leads):
        text.append("**Leads.** Some limb leads are computed from the others when an image is "
                    "decoded: $III = II - I$, $aVR = -(I + II)/2$, $aVL = I - II/2$, "
                    "$aVF = II - I/2$.")
    if e.subject_mixing > 1:
        text.append(f"**Subject mixing.** Each training image mixes the average beats of "
                    f"{e.subject_mixing} persons.")
    return "\n\n".join(text)


def training_words(result: Result) -> str:
    """The loss, and what else the generator had to obey. Markdown."""
    e = result.experiment
    text = [LOSSES[e.model]]
    if e.labels:
        text.append(f"Both networks are told the labels of each image ({', '.join(e.labels)}): the "
                    r"score is $D(x, c) = f(x) + \langle V c, \varphi(x) \rangle$, a *projection* "
                    "of the labels $c$ on the last features (Miyato & Koyama 2018).")
    if e.identity_weight:
        text.append(f"An *identity-adversarial* loss (weight {e.identity_weight:g}) makes images "
                    "receive a penalty if a network recognizes a training person in them.")
    if e.rejection_roughness:
        text.append(f"*Rejection sampling:* an image more than {e.rejection_roughness:g} times as "
                    "rough as the roughest training image is generated again, up to three times.")
    return "\n\n".join(text)


def label_words(result: Result) -> str:
    """Whether the synthetic ECGs show what was requested. Markdown."""
    found = result.content.get("labels")
    if not found:
        return "This GAN was trained without labels: nothing can be requested of it."
    return ("### Labels: does it show what was requested?\n\n"
            "AUROC of a classifier per label, higher is better (0.5: chance). *real*: trained on "
            "real strips, asked about real test strips, the baseline. *synthetic*: the same "
            "classifier, asked about synthetic strips. *trained on synthetic*: a classifier that "
            "never saw a real strip, asked about real test strips. *sdnn*, *rmssd*: Wasserstein-1 "
            "distances in seconds from test strips with the same label; their *baseline* is that "
            "of the training strips.\n\n"
            f"{found['words']} Well above the baseline would be caricatures, or training ECGs that "
            f"were memorized. {IMBALANCE}")


def whose(result: Result) -> str:
    """"persons", or "records" where persons are unknown."""
    return "persons" if result.content["data"]["persons_known"] else "records"


def _distance(mmd2: Measured, who: str) -> str:
    base = mmd2.baseline if mmd2.baseline > 0 else mmd2.baseline_high
    if not base > 0:
        return "the distance MMD² has no baseline."
    return (f"their distance (MMD²) from {who} never seen is {mmd2.value / base:.1f} x the "
            f"distance of the training {who}.")


def _privacy(found: Measured | None) -> str:
    if found is None or not math.isfinite(found.value):
        return "re-identification was not measured, or was not valid."
    return (f"{found.value:.1%} of the synthetic strips are accepted as a training person; of new "
            f"persons' strips {found.baseline:.1%}.")


def _rows(gate) -> str:
    counts = gate.table["verdict"].value_counts()
    return ", ".join(f"{counts[word]} {text}" for word, text in (
        ("pass", "criteria met"), ("fail", "failed"), ("not measured", "not measured"))
        if word in counts) + "."
