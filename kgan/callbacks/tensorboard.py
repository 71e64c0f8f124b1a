"""Pictures in TensorBoard."""

from kgan.utils.optional import Later, require

Image = Later("PIL.Image")


class Board:
    """Writes pictures to an event file, using only the package tensorboard.

    Keras's own callback needs TensorFlow, which other backends may not have installed.

    Args:
        folder: folder of the event files; the first picture creates a new one.

    Raises:
        ImportError: if tensorboard is not installed.
    """

    def __init__(self, folder):
        purpose = "Pictures in TensorBoard"
        writers = require("tensorboard.summary.writer.event_file_writer", "tensorboard", purpose)
        self._events = require("tensorboard.compat.proto.event_pb2", "tensorboard", purpose)
        self._summaries = require("tensorboard.compat.proto.summary_pb2", "tensorboard", purpose)
        self._open = lambda: writers.EventFileWriter(str(folder))
        self._writer = None

    def show(self, name, path, step):
        """Adds a PNG file.

        Args:
            name: the name in TensorBoard.
            path: the file.
            step: its step, such as the epoch from 0, as in Keras's callback.
        """
        self._writer = self._writer or self._open()
        with Image.open(path) as picture:
            width, height = picture.size
        content = self._summaries.Summary.Image(
            height=height, width=width, colorspace=3, encoded_image_string=path.read_bytes()
        )
        value = self._summaries.Summary.Value(tag=name, image=content)
        event = self._events.Event(step=step, summary=self._summaries.Summary(value=[value]))
        self._writer.add_event(event)
        self._writer.flush()

    def close(self):
        """Closes the event file; another picture opens a new one."""
        if self._writer:
            self._writer.close()
            self._writer = None
