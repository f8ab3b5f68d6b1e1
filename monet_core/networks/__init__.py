"""3D U-Net and MO-Net: one encoder, any number of decoders."""
