"""The rebuilt model as one TensorFlow function that keeps the promised names. Child process only.

All formats are made from it: SavedModel as it is, TFLite from a SavedModel of fixed batch size,
ONNX from the function.
"""

from kgan.export.convert import rebuild

SIGNATURE = "serving_default"


def function(model, spec, batch_size=None):
    """A `tf.function` of the model in inference.

    Args:
        model: functional or Sequential Keras model on TensorFlow.
        spec: `ModelSpec` to keep exactly.
        batch_size: of its signature. Default: any.

    Returns:
        The function, of tensors in the spec's order to a dictionary by output name, and its input
        signature.
    """
    import keras
    import tensorflow as tf

    signature = [
        tf.TensorSpec((batch_size, *tensor.shape), tensor.dtype, name=tensor.name)
        for tensor in spec.inputs
    ]

    @tf.function(input_signature=signature, autograph=False)
    def serve(*values):
        outputs = keras.tree.flatten(rebuild.call(model, list(values)))
        # The identity keeps two names apart when one tensor is given back twice.
        named = zip(spec.outputs, outputs, strict=True)
        return {tensor.name: tf.identity(value) for tensor, value in named}

    return serve, signature


def save(model, spec, path, batch_size=None, layer=False):
    """Writes a SavedModel whose signature is `serving_default`.

    Args:
        model, spec, batch_size: as for `function`.
        path: folder to write.
        layer: whether to add what `keras.layers.TFSMLayer` calls by default: `serve`, of one
            tensor or a dictionary of several.
    """
    import tensorflow as tf

    module = tf.Module()
    # A variable that the module does not hold is left out of the file without a word.
    module.kept = [variable.value for variable in model.variables]
    serve, signature = function(model, spec, batch_size)
    if layer:
        several = {tensor.name: tensor for tensor in signature}
        module.serve = tf.function(
            lambda inputs: (
                serve(*(inputs[name] for name in several))
                if isinstance(inputs, dict)
                else serve(inputs)
            ),
            input_signature=[several if len(several) > 1 else signature[0]],
            autograph=False,
        )
    tf.saved_model.save(module, str(path), signatures={SIGNATURE: serve})
