"""Package of the ROS 2 node; ament_python with colcon, ordinary pip elsewhere."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = "hybrid_seg_ros"
HERE = Path(__file__).resolve().parent


def version() -> str:
    """The one version, as hybrid_seg_ros/__init__.py states it."""
    for line in (HERE / NAME / "__init__.py").read_text(encoding="utf-8").splitlines():
        if line.startswith("__version__"):
            return line.split('"')[1]
    raise RuntimeError(f"{NAME}/__init__.py: no __version__ line")


def shared(folder: str, *patterns: str) -> list[tuple[str, list[str]]]:
    """data_files entries that keep the folder's tree under share/<package>/."""
    trees: dict[str, list[str]] = {}
    for pattern in patterns:
        for path in sorted((HERE / folder).rglob(pattern)):
            relative = path.relative_to(HERE)
            trees.setdefault(f"share/{NAME}/{relative.parent.as_posix()}", []).append(str(relative))
    return sorted(trees.items())


RUNTIME = ["numpy>=1.21", "opencv-python-headless>=4.5", "pydantic>=2", "PyYAML>=5.4", "numba>=0.56"]
# Pure-Python or self-contained wheels behind the offline commands: bags, progress bars, H.264 video, the report's page.
OFFLINE = ["rosbags>=0.11", "tqdm>=4.60", "av>=12", "jinja2>=3.0"]
HDF5 = ["h5py>=3"]
RAY = ["ray>=2.10"]

setup(
    name=NAME,
    version=version(),
    description="Open-set semantic segmentation for ROS 2: semantic, anomaly-score and obstacle-mask images",
    license="Apache-2.0",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={
        NAME: ["py.typed"],
        f"{NAME}.cuda": ["kernels/*.h", "kernels/*.cu"],
        f"{NAME}.report": ["templates/*"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *shared("launch", "*.launch.py"),
        *shared("config", "*.yaml", "*.xml", "*.rviz", "*.json"),
        *shared("engines", "manifest.yaml", "model*.onnx", "golden.npz", "MODEL_CARD.md"),
    ],
    python_requires=">=3.10",
    install_requires=[*RUNTIME, *OFFLINE],
    extras_require={
        "cpu": ["onnxruntime>=1.17"],
        "gpu": ["onnxruntime-gpu>=1.17"],
        "tensorrt": ["tensorrt>=10.3,<12", "pycuda>=2024.1"],
        "hdf5": HDF5,  # score maps of other methods, submissions to SegmentMeIfYouCan
        "ray": RAY,  # recordings evaluated on a cluster
        # A frozen ROS 2 Jazzy for development and CI; a robot uses its own ROS and never these.
        "ros-wheels": ["ros-rclpy[fastrtps]==7.1.6", "ros-jazzy-common-interfaces==5.3.6"],
        "dev": [
            *HDF5,
            *RAY,
            "brotli>=1.1",
            "colcon-common-extensions>=0.3",
            "hypothesis>=6.100",
            "import-linter>=2.0",
            "mypy>=1.11",
            "onnx>=1.16",
            "pillow>=10",
            "playwright>=1.40",
            "pre-commit>=3.5",
            "pytest>=8",
            "pytest-timeout>=2.3",
            "ruff>=0.6",
            "scikit-learn>=1.4",
            # NVIDIA's own ONNX parser and builder, which need no GPU
            "tensorrt-rtx-cu13>=1.7; platform_machine == 'x86_64'",
            "types-PyYAML",
            "types-tqdm",
        ],
    },
    zip_safe=False,
    entry_points={
        "console_scripts": [
            "hybrid_seg_node = hybrid_seg_ros.ros.main:main",
            "hybrid-seg = hybrid_seg_ros.cli.main:main",
        ],
    },
)
