"""The fixed parts of docs/performance.md."""

HEAD = """
# Performance on a GPU

Written by `hybrid-seg bench`, the measured part from the gpu_*.json files in [benchmarks/](benchmarks/). Calculated and
measured figures stand in tables of their own. Every measurement names the library that ran the network: nothing is
called a TensorRT figure that TensorRT did not run. Figures of the CPU are in [benchmarks.md](benchmarks.md).

A frame here is an image of 1024x2048 pixels, 8 bit BGR, in host memory; a network input of the same size; 19 classes,
FP16 logits at stride 4; and maps of 1024x2048 in host memory.
"""

FLOORS = """
## Calculated: the least it can take

* **Byte floor** of a kernel: what it must read and write, each byte once, over the bandwidth of the device's memory.
  The pre-kernel reads the image (6.3 MB) and writes the tensor (12.6 MB). The post-kernel reads the logits and the
  posterior (5.5 MB) and writes label and mask (4.2 MB), or label, score and mask (12.6 MB).
* **Exp floor** of the post-kernel: 20 exponentials a pixel (19 classes for the log-sum-exp, one for the log-posterior)
  over what the GPU issues: 16 a clock and SM.
* **Floor** of a kernel is the larger of the two, because both go on side by side. Kernels are measured against it.
* **Copies**: 6.3 MB in, 4.2 MB out, over the bus; measured in the same run as what is compared with them.

These are the floors by the figures of NVIDIA's data sheets (bandwidth, SMs, boost clock), with the name of the one
that is larger. No copy reaches the bandwidth of a data sheet: measured kernels stand beside floors by the bandwidth
of a copy within device memory, measured in the same run.
"""

NOT_MEASURED = """
No GPU has run these measurements yet. There are no measured figures on this page, only the calculated floors above.
"""

REPEAT = """
## How to repeat it

On a machine with an NVIDIA GPU that does nothing else:

    make setup setup-training
    .venv/bin/pip install pycuda cuda-python      # and TensorRT, from where docs/deployment.md says
    make test-gpu                                 # are the figures worth anything: all tests of the GPU first
    .venv/bin/hybrid-seg bench gpu_kernels gpu_frame gpu_eager gpu_soak --out docs/benchmarks

What runs the network is TensorRT, else TensorRT-RTX, else ONNX Runtime's CUDA provider, else PyTorch FP16. The network
is that of the shipped bundle with 8 classes added (mixtures of the others), so that it has 19.

* Kernels: from a CUDA event before to one behind, each launch queued behind copies that keep the device busy, so that
  it never waits for Python; buffers in turn, larger together than the cache; p50 and p99 of 400 launches.
* Frames: wall clock, from the call with the image to the maps in host memory, page-locked (`borrow`), p50 and p99 of
  300 frames after 10.
* PyTorch: the same weights in FP16 and channels last in a process of its own, turn by turn with the node's path, from
  `torch.from_numpy(image)` to `.cpu()` of all maps; `torch.backends.cudnn.benchmark` is on. No resizing on either side.
  A compiled network that is not ready within four minutes is not measured.
* Closed set: the network without its posterior head, the score without its term, the same outputs, turn by turn. With
  TensorRT and ONNX Runtime a slice of the logits stands in the posterior's place.
* Memory: `cuMemGetInfo` after every 500 frames, and after every close.
"""

CARRY = """
## On a machine without a network

What has to be carried depends on what is there: `python3 -m pip list`. For Python 3.12 on x86-64 and CUDA 13, where
PyTorch with CUDA, numpy, opencv, numba, onnx, onnxruntime, timm, tqdm, PyYAML and pytest are there already:

| file | MB | for |
|---|---|---|
| pycuda 2026.1, built from source (below) | 0.7 | everything |
| pytools 2026.1.1, platformdirs, siphash24, mako | 0.4 | pycuda |
| pydantic 2.14.3, pydantic-core 2.50.4, annotated-types, typing-inspection | 2.8 | the node |
| rosbags 0.11.9, lz4, ruamel.yaml, apsw, backports.zstd | 5.9 | `hybrid-seg bench` |
| cuda-bindings 13.5.0, cuda-pathfinder | 8.4 | CUDA graphs and NVRTC, where they are not there |
| nvidia-cuda-nvrtc 13.5.37 | 58.2 | compiling the kernels, where there is neither NVRTC nor nvcc |

Where there is a network, into a folder `wheels`:

    python3 -m pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \\
        --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 -d wheels \\
        pytools platformdirs siphash24 mako pydantic==2.14.3 pydantic-core==2.50.4 annotated-types typing-inspection \\
        rosbags lz4 ruamel.yaml apsw backports.zstd

pycuda comes as source. Building its wheel needs the CUDA toolkit, a C++ compiler and the same minor version of Python,
but no GPU. In its unpacked source, with this `siteconf.py`:

    USE_SHIPPED_BOOST = True
    BOOST_INC_DIR = []
    BOOST_LIB_DIR = []
    BOOST_COMPILER = "gcc43"
    BOOST_PYTHON_LIBNAME = ["boost_python-py3"]
    BOOST_THREAD_LIBNAME = ["boost_thread"]
    CUDA_TRACE = False
    CUDA_ROOT = "/usr/local/cuda"
    CUDA_ENABLE_GL = False
    CUDA_ENABLE_CURAND = False
    CUDADRV_LIB_DIR = ["/usr/local/cuda/lib64/stubs"]
    CUDADRV_LIBNAME = ["cuda"]
    CUDART_LIB_DIR = CUDART_LIBNAME = CURAND_LIB_DIR = CURAND_LIBNAME = CXXFLAGS = []
    LDFLAGS = ["-Wl,--no-as-needed", "-lcuda"]

run `python3.12 setup.py bdist_wheel` (setuptools below 80, wheel and numpy must be there). Where the toolkit brings no
stub of libcuda, an empty library does: `gcc -shared -Wl,-soname,libcuda.so.1 -o libcuda.so -xc /dev/null`.

On the machine with the GPU, in the repository's folder:

    python3 -m pip install --no-index --no-deps --target site wheels/*.whl
    export PYTHONPATH=$PWD/site:$PWD:$PWD/training
    python3 -m pytest -m gpu -rs test/gpu test/cuda test/detector/test_device_path.py
    python3 -c "import sys; from hybrid_seg_ros.cli.main import main; sys.exit(main())" \\
        bench gpu_kernels gpu_frame gpu_eager gpu_soak --out docs/benchmarks

`gpu_eager` takes up to nine minutes, most of them PyTorch's compilers; the others take a minute or two each. Kernels
are compiled at first use and kept below `$XDG_CACHE_HOME`. TensorRT's engine is built at the first run.
"""
