"""A stand-in for Apple's GPUs, which have no float64: the CPU plays both sides."""

import torch
from torch.overrides import TorchFunctionMode


class NoDoubles(TorchFunctionMode):
    """While it is on, only tensors that were brought to the CPU (`.cpu()`, `.to("cpu")`) may become float64."""

    def __init__(self):
        super().__init__()
        self.brought = []

    def __torch_function__(self, function, _types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function is torch.Tensor.cpu or (function is torch.Tensor.to and "cpu" in args[1:]):
            result = result.clone()
            self.brought.append(result)
        elif function is torch.Tensor.double:
            assert args[0].dtype == torch.float64 or any(args[0] is tensor for tensor in self.brought)
        elif (kwargs or {}).get("dtype") == torch.float64:
            assert "device" not in kwargs
        return result
