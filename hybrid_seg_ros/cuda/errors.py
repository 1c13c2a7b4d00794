"""What may go wrong on a device."""


class DeviceError(RuntimeError):
    """CUDA, its driver or a kernel failed; the message says at what.

    Attributes:
        out_of_memory: device or page-locked memory did not suffice: another try may find some.
    """

    def __init__(self, message: str, *, out_of_memory: bool = False) -> None:
        super().__init__(message)
        self.out_of_memory = out_of_memory
