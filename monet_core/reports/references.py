"""The works that a paper which uses this program should cite."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """`short` is how a text cites it (author and year), `full` its line in the list."""

    short: str
    full: str


REFERENCES: dict[str, Reference] = {
    key: Reference(short, full)
    for key, short, full in (
        (
            "monet",
            "Dai et al. 2019",
            "Dai C, Mo Y, Angelini E, Guo Y, Bai W. Transfer learning from partial annotations for "
            "whole brain segmentation. arXiv:1908.10851, 2019.",
        ),
        (
            "unet",
            "Çiçek et al. 2016",
            "Çiçek Ö, Abdulkadir A, Lienkamp SS, Brox T, Ronneberger O. 3D U-Net: learning dense "
            "volumetric segmentation from sparse annotation. MICCAI 2016, LNCS 9901:424-432.",
        ),
        (
            "malc",
            "Landman and Warfield 2012",
            "Landman B, Warfield S (eds). MICCAI 2012 workshop on multi-atlas labeling. 2012. "
            "Labels provided by Neuromorphometrics, Inc. under academic subscription.",
        ),
        (
            "oasis",
            "Marcus et al. 2007",
            "Marcus DS, Wang TH, Parker J, Csernansky JG, Morris JC, Buckner RL. Open Access "
            "Series of Imaging Studies (OASIS): cross-sectional MRI data in young, middle aged, "
            "nondemented, and demented older adults. J Cogn Neurosci 19:1498-1507, 2007.",
        ),
        (
            "first",
            "Patenaude et al. 2011",
            "Patenaude B, Smith SM, Kennedy DN, Jenkinson M. A Bayesian model of shape and "
            "appearance for subcortical brain segmentation. NeuroImage 56:907-922, 2011.",
        ),
        (
            "hammers",
            "Hammers et al. 2003",
            "Hammers A, Allom R, Koepp MJ, et al. Three-dimensional maximum probability atlas of "
            "the human brain, with particular reference to the temporal lobe. Hum Brain Mapp "
            "19:224-247, 2003.",
        ),
        (
            "freesurfer",
            "Fischl 2012",
            "Fischl B. FreeSurfer. NeuroImage 62:774-781, 2012.",
        ),
        (
            "quicknat",
            "Roy et al. 2019",
            "Roy AG, Conjeti S, Navab N, Wachinger C. QuickNAT: a fully convolutional network for "
            "quick and accurate segmentation of neuroanatomy. NeuroImage 186:713-727, 2019.",
        ),
        (
            "mni",
            "Fonov et al. 2009",
            "Fonov VS, Evans AC, McKinstry RC, Almli CR, Collins DL. Unbiased nonlinear average "
            "age-appropriate brain templates from birth to adulthood. NeuroImage 47:S102, 2009.",
        ),
        (
            "n4",
            "Tustison et al. 2010",
            "Tustison NJ, Avants BB, Cook PA, et al. N4ITK: improved N3 bias correction. IEEE "
            "Trans Med Imaging 29:1310-1320, 2010.",
        ),
        (
            "synthstrip",
            "Hoopes et al. 2022",
            "Hoopes A, Mora JS, Dalca AV, Fischl B, Hoffmann M. SynthStrip: skull-stripping for "
            "any brain image. NeuroImage 260:119474, 2022.",
        ),
        (
            "adam",
            "Kingma and Ba 2015",
            "Kingma DP, Ba J. Adam: a method for stochastic optimization. ICLR 2015.",
        ),
        (
            "adamw",
            "Loshchilov and Hutter 2019",
            "Loshchilov I, Hutter F. Decoupled weight decay regularization. ICLR 2019.",
        ),
        (
            "torch",
            "Paszke et al. 2019",
            "Paszke A, Gross S, Massa F, et al. PyTorch: an imperative style, high-performance "
            "deep learning library. NeurIPS 32, 2019.",
        ),
        (
            "nibabel",
            "Brett et al.",
            "Brett M, Markiewicz CJ, Hanke M, et al. nipy/nibabel. Zenodo. "
            "doi:10.5281/zenodo.591597.",
        ),
        (
            "SimpleITK",
            "Lowekamp et al. 2013",
            "Lowekamp BC, Chen DT, Ibáñez L, Blezek D. The design of SimpleITK. Front Neuroinform "
            "7:45, 2013.",
        ),
        (
            "numpy",
            "Harris et al. 2020",
            "Harris CR, Millman KJ, van der Walt SJ, et al. Array programming with NumPy. Nature "
            "585:357-362, 2020.",
        ),
    )
}
"""The references by key; in texts as {key}, which `with_references` turns into citations."""

_KEY = re.compile(r"\{(\w+)\}")


def with_references(text: str) -> tuple[str, list[str]]:
    """`text` with every {key} as a citation in words, and the keys in order of appearance."""
    keys = list(dict.fromkeys(_KEY.findall(text)))
    return _KEY.sub(lambda match: REFERENCES[match[1]].short, text), keys


def reference_list(keys: list[str]) -> list[str]:
    """The lines of a list of references, alphabetical."""
    return sorted((REFERENCES[key].full for key in keys), key=_without_accents)


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if c.isascii())
