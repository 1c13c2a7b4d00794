# Two commands do everything on a fresh machine:  make demo   make test
# `make help` lists the rest. Nothing is installed outside $(VENV).

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# The demo plays this rosbag2 instead of its own generated drive:  make demo BAG=path
BAG    ?=
OUT    ?= build/demo
# Research data sets for training and benchmarks (training/README.md); tests use generated data where it is not set.
export HYBRID_SEG_DATA ?= $(firstword $(wildcard $(CURDIR)/data $(CURDIR)/../data $(CURDIR)/../*/data))
# setuptools warns users of what only its authors can act on.
PIP_INSTALL = PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check
# A sourced ROS must not leak into the virtual environment, which brings its own.
unexport PYTHONPATH AMENT_PREFIX_PATH COLCON_PREFIX_PATH

.DEFAULT_GOAL := help
.PHONY: help setup setup-training browser demo test test-slow test-gpu lint types contracts generated unit training-test colcon bench generate clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

$(VENV)/.venv-made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "expected Python >= 3.10, found $$($(PYTHON) --version 2>&1); name another one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "no venv module: sudo apt install python3-venv"; exit 1; }
	$(PIP_INSTALL) "setuptools>=61,<80" wheel
	@touch $@

$(VENV)/.setup: setup.py constraints.txt $(VENV)/.venv-made
	@echo "installing the node, ROS 2 wheels and tools into $(VENV) (a few minutes, once)"
	$(PIP_INSTALL) --progress-bar on -c constraints.txt -e ".[ros-wheels,cpu,dev]"
	@touch $@

$(VENV)/.training: training/pyproject.toml $(VENV)/.setup
	@echo "installing the training package and PyTorch into $(VENV) (once)"
	$(PIP_INSTALL) --progress-bar on -c constraints.txt -e "training[test]"
	@# Cityscapes' own evaluator, which a test compares with. Last, for pip would complain of what it asks for beside these,
	@# which is for its other tools.
	$(PIP_INSTALL) --no-deps cityscapesscripts==2.3.0 pyquaternion==0.9.9 appdirs==1.4.4
	@touch $@

setup: $(VENV)/.setup  ## virtual environment with the node, ROS 2 wheels, ONNX Runtime and the tools

setup-training: $(VENV)/.training  ## the same plus PyTorch and the training package

demo: setup  ## the main job: a drive through the real node over real topics (BAG=path for your own recording)
	$(BIN)/hybrid-seg demo --out $(OUT) $(if $(BAG),--bag $(BAG))

browser: setup  ## a headless Chromium for the tests of the report, into build/browser (from npm; without it they skip)
	@$(BIN)/python test/support/browser.py || echo "no browser: the tests of the report's page in one are skipped"

test: setup setup-training browser lint types contracts generated unit training-test  ## everything a change must pass

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy hybrid_seg_ros
	cd training && ../$(BIN)/mypy hybrid_seg_train

contracts:
	$(BIN)/lint-imports
	cd training && ../$(BIN)/lint-imports

generated:
	$(BIN)/python -m hybrid_seg_ros.ros.schema_files --check

unit:
	$(BIN)/python -m pytest -m "not slow and not gpu"

training-test:
	cd training && ../$(BIN)/python -m pytest -m "not slow"

test-slow: setup setup-training  ## the long sets: soak runs, a short real training
	$(BIN)/python -m pytest -m "slow and not gpu"
	cd training && ../$(BIN)/python -m pytest -m slow

test-gpu: setup  ## kernels, memory and the whole frame on this machine's NVIDIA GPU
	$(BIN)/python -m pytest -m gpu -rs

colcon: setup  ## colcon build, as on a robot, into build/colcon
	$(BIN)/colcon --log-base build/colcon/log build --base-paths . --build-base build/colcon/build --install-base build/colcon/install

bench: setup setup-training  ## every figure of docs/benchmarks.md, measured again on this machine
	$(BIN)/hybrid-seg bench --all --out docs/benchmarks

generate: setup  ## write the files that come from the parameter schema
	$(BIN)/python -m hybrid_seg_ros.ros.schema_files --write

clean:  ## remove what was built (the virtual environment stays)
	rm -rf build install log
