"""The 116 regions of AAL (Tzourio-Mazoyer et al. 2002): a lab's own atlas without any link."""

SIDED = """Precentral Frontal_Sup Frontal_Sup_Orb Frontal_Mid Frontal_Mid_Orb Frontal_Inf_Oper
Frontal_Inf_Tri Frontal_Inf_Orb Rolandic_Oper Supp_Motor_Area Olfactory Frontal_Sup_Medial
Frontal_Med_Orb Rectus Insula Cingulum_Ant Cingulum_Mid Cingulum_Post Hippocampus ParaHippocampal
Amygdala Calcarine Cuneus Lingual Occipital_Sup Occipital_Mid Occipital_Inf Fusiform Postcentral
Parietal_Sup Parietal_Inf SupraMarginal Angular Precuneus Paracentral_Lobule Caudate Putamen
Pallidum Thalamus Heschl Temporal_Sup Temporal_Pole_Sup Temporal_Mid Temporal_Pole_Mid Temporal_Inf
Cerebelum_Crus1 Cerebelum_Crus2 Cerebelum_3 Cerebelum_4_5 Cerebelum_6 Cerebelum_7b Cerebelum_8
Cerebelum_9 Cerebelum_10"""
MIDLINE = "Vermis_1_2 Vermis_3 Vermis_4_5 Vermis_6 Vermis_7 Vermis_8 Vermis_9 Vermis_10"
AAL = [f"{name}_{side}" for name in SIDED.split() for side in "LR"] + MIDLINE.split()
TO_FIRST = {
    "Hippocampus": (17, 53),
    "Amygdala": (18, 54),
    "Caudate": (11, 50),
    "Putamen": (12, 51),
    "Pallidum": (13, 52),
    "Thalamus": (10, 49),
}


def aal_table() -> str:
    """A label table with nothing but index and name."""
    rows = (f"{index}\t{name}" for index, name in enumerate(AAL, start=1))
    return "\n".join(["index\tname", *rows]) + "\n"


def aal_to_first() -> dict[int, int]:
    """The twelve structures that AAL and FIRST share."""
    sides = ((name, side, pair) for name, pair in TO_FIRST.items() for side in (0, 1))
    return {AAL.index(f"{name}_{'LR'[side]}") + 1: pair[side] for name, side, pair in sides}
