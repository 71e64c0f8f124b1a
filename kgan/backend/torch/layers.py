"""Which layers of Keras have a native call of PyTorch: one function a kind of layer.

Most functions take and give maps whose channels come first, see `native_layer`; the variables of a
layer stay as Keras has them.
"""

import functools

from keras import layers
from torch.nn import functional

import kgan.layers as kgan_layers  # not of `kgan`, which would load all in the middle of this
from kgan.backend.torch.activations import (
    activation,
    activation_of,
    leaky_relu,
    relu,
    unchanged,
)
from kgan.backend.torch.convolution_layers import convolution, transposed_convolution
from kgan.backend.torch.native_layer import FIRST, Native, bias
from kgan.backend.torch.normalization_layers import (
    batch_normalization,
    conditional_batch_normalization,
    instance_normalization,
)


def find(layer):
    """Returns the `Native` of a layer, or None."""
    kind = type(layer)
    if kind in NATIVE:
        return NATIVE[kind](layer)
    if kind in PLAIN:
        return Native(functools.partial(kind.call, layer))
    return None


def dense(layer):
    def call(x, training=None):
        return activate(functional.linear(x, layer.kernel.value.t(), bias(layer)))

    activate = activation_of(layer)
    return Native(call, fresh=activate is unchanged)


def reflection_padding(layer):
    rows, columns = layer.padding
    return Native(lambda x: functional.pad(x, (columns, columns, rows, rows), "reflect"), FIRST)


def pooling(layer):
    if layer.padding != "valid":
        return None
    rank = len(layer.pool_size)
    pool = POOLINGS[layer.pool_mode][rank]
    return Native(lambda x: pool(x, layer.pool_size, layer.strides), FIRST)


def up_sampling(layer):
    if layer.interpolation != "nearest":
        return None
    factors = tuple(map(float, layer.size))
    return Native(lambda x: functional.interpolate(x, scale_factor=factors), FIRST, fresh=True)


def embedding(layer):
    def call(x):
        return functional.embedding(x.long(), layer.embeddings.value)

    return None if layer.mask_zero else Native(call)


POOLINGS = {
    "max": {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d},
    "average": {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d},
}

NATIVE = {
    layers.Activation: activation,
    layers.AveragePooling1D: pooling,
    layers.AveragePooling2D: pooling,
    layers.AveragePooling3D: pooling,
    layers.BatchNormalization: batch_normalization,
    layers.Conv1D: convolution,
    layers.Conv1DTranspose: transposed_convolution,
    layers.Conv2D: convolution,
    layers.Conv2DTranspose: transposed_convolution,
    layers.Conv3D: convolution,
    layers.Conv3DTranspose: transposed_convolution,
    layers.Dense: dense,
    layers.DepthwiseConv1D: convolution,
    layers.DepthwiseConv2D: convolution,
    layers.Embedding: embedding,
    layers.LeakyReLU: leaky_relu,
    layers.MaxPooling1D: pooling,
    layers.MaxPooling2D: pooling,
    layers.MaxPooling3D: pooling,
    layers.ReLU: relu,
    kgan_layers.ConditionalBatchNormalization: conditional_batch_normalization,
    kgan_layers.InstanceNormalization: instance_normalization,
    kgan_layers.ReflectionPadding2D: reflection_padding,
    layers.SeparableConv1D: convolution,
    layers.SeparableConv2D: convolution,
    layers.UpSampling2D: up_sampling,
}
"""Kinds of layers and the functions that find their native call. A subclass may do anything in its
own `call`, so a kind is the very class."""

PLAIN = {
    layers.Add,
    layers.AlphaDropout,
    layers.Average,
    layers.Concatenate,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.Cropping3D,
    layers.Dot,
    layers.Dropout,
    layers.ELU,
    layers.Flatten,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalAveragePooling3D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.GlobalMaxPooling3D,
    layers.GroupNormalization,
    layers.Identity,
    layers.LayerNormalization,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.PReLU,
    layers.Permute,
    layers.RMSNormalization,
    layers.RepeatVector,
    layers.Rescaling,
    layers.Reshape,
    layers.Softmax,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
    layers.Subtract,
    layers.UnitNormalization,
    layers.UpSampling1D,
    layers.UpSampling3D,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.ZeroPadding3D,
}
"""Layers whose own `call` is fast already: left out is only what Keras does around it."""
