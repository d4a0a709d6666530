"""Tune a base model on instances in a given order, and save a checkpoint every few steps.

One call trains one segment of a run. With several GPUs it starts one process per GPU.
"""

from pathlib import Path

from nearfirst.common import cli
from nearfirst.hardware import TrainHardware
from nearfirst.model import tracking
from nearfirst.model.settings import TemplateSettings
from nearfirst.train import job
from nearfirst.train.settings import TrainSettings

if __name__ == "__main__":
    parser = cli.parser(__doc__)
    add = parser.add_argument
    add("--model", required=True, help="base model: folder or Hugging Face id")
    add("--instances", type=Path, required=True, help="training instances (Parquet)")
    add("--arrangement", type=Path, required=True, help="their order (Parquet)")
    add("--seed", type=int, default=0, help="seed of the run, which reshuffles epochs")
    add("--stop", default="end", help="last step of the segment; default: the end of the run")
    add("--state-before", type=Path, nargs="?", help="state of the segment before, if any")
    add("--checkpoints", type=Path, required=True, help="folder of checkpoints to write")
    add("--state", type=Path, required=True, help="folder of the resumable state to write")
    cli.add_settings(parser, TrainSettings)
    cli.add_settings(parser, TemplateSettings, "--template")
    cli.add_settings(parser, TrainHardware, "--hardware")
    tracking.add_flag(parser)
    cli.run(job.run, parser.parse_args())
