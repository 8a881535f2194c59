"""How `make` shows an experiment: all jobs and the time left, the stages, and what runs now.

A logger of Snakemake: `rich` with another display. In a terminal the lines that jobs print would
tear a display apart, so they go to a file, and it is drawn from them. In a log file there is a
plain line now and then.
"""

import logging
import os
import re
import shlex
import sys
import tempfile
import time
from statistics import mean

import snakemake_logger_plugin_rich as rich_plugin
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, Progress, Task, TextColumn
from rich.text import Text
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_logger_plugin_rich.event_handler import EventHandler

from repro.files.progress import duration

# Seconds of a job of the default experiment, for stages of which nothing is known yet. They are
# scaled by what the known stages take, but starting a command alone takes AT_LEAST.
EXPECTED = {"backbone": 125, "train": 42, "generate": 16, "objective": 15, "score": 11}
AT_LEAST = 5
SECONDS_BETWEEN_LINES = 30  # of a log file
SAID = re.compile(r"(.+): (\d+)/(\d+) \w+, .* left(?:, )?(.*)")  # by repro.files.progress
ALL = "all jobs"


class Experiment(EventHandler):
    """Shows what Snakemake reports and what jobs print."""

    def __init__(self, console, settings) -> None:
        self.jobs: dict[int, Task] = {}  # the bars of what runs, by Snakemake's number
        self.stages: dict[str, Task] = {}  # the bars of ALL and of every rule
        self.took: dict[str, list[float]] = {}  # seconds of the jobs of a rule that have ended
        self.limits: dict[str, int] = {}  # cores, and what else jobs share
        self.share: dict[str, float] = {}  # a job's share of what it needs most of, by rule
        self.printed, self.stopped = time.monotonic(), False
        self.said = self.stdout = None  # the file of what jobs print, and what it stands in for
        self.place = 0  # up to where it is read
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}")
        self.progress = Progress(*columns, disable=True, speed_estimate_period=1e9)
        live = Live(console=console, transient=True, get_renderable=self._draw)
        shown = False, settings.printshellcmds, settings.show_failed_logs, settings.verbose
        super().__init__(console, self.progress, live, *shown)

    def handle(self, record, **kwargs) -> None:
        """Take a record, unless it is of a job that was stopped, or of the end: see `close`."""
        message = record.getMessage()
        self.stopped |= message.startswith("Terminating processes on user request")
        if getattr(record, "event", None) == LogEvent.JOB_ERROR:
            self.jobs.pop(record.jobid, None)
        told = message.startswith(("Complete log", "Elapsed time"))
        if not told and not (self.stopped and record.levelno >= logging.ERROR):
            super().handle(record, **kwargs)

    def handle_run_info(self, event_data, **kwargs) -> None:
        """Begin: it is known how many jobs there are."""
        self._stop_dag_status()
        counts = {ALL: event_data.total_job_count} | event_data.per_rule_job_counts
        order = [rule for rule in (ALL, *EXPECTED) if rule in counts]  # and then the others
        self.stages = {
            rule: self._add_bar(rule, counts[rule]) for rule in dict.fromkeys([*order, *counts])
        }
        if self.console.is_terminal:
            os.environ["REPRO_SECONDS_BETWEEN_LINES"] = "2"  # of jobs
            self.said, self.stdout = tempfile.TemporaryFile(), os.dup(1)  # noqa: SIM115
            os.dup2(self.said.fileno(), 1)
            self.progress_display.live_display.start()

    def handle_resources_info(self, event_data, **kwargs) -> None:
        """Keep how much there is of what jobs share."""
        given = {name: of.value for name, of in event_data.provided_resources.items()}
        given["cores"] = event_data.cores
        self.limits |= {name: limit for name, limit in given.items() if limit}

    def handle_job_info(self, event_data, **kwargs) -> None:
        """Begin a job."""
        rule, wildcards = event_data.rule_name, event_data.wildcards
        needs = {**event_data.resources, "cores": event_data.threads}
        self.share[rule] = max(needs.get(name, 0) / of for name, of in self.limits.items())
        run = "/".join(wildcards.values())
        self.jobs[event_data.jobid] = self._add_bar(f"{rule} {run}", None, rule=rule, run=run)
        known = {"rule": rule, "wildcards": wildcards, "log": event_data.log}
        self.jobs_info[event_data.jobid] = known  # for the base class

    def handle_job_finished(self, event_data, **kwargs) -> None:
        """End a job; in a log file, say now and then how far all are."""
        bar, now = self.jobs.pop(event_data.job_id), time.monotonic()
        rule = bar.fields["rule"]
        if bar.total or rule != "backbone":  # a download says nothing of this machine's speed
            self.took.setdefault(rule, []).append(bar.elapsed)
        for name in (ALL, rule):
            self.progress.advance(self.stages[name].id)
        if not self.console.is_terminal and now - self.printed >= SECONDS_BETWEEN_LINES:
            self.printed = now
            at_work = ", ".join(bar.description for bar in self.jobs.values())
            self._print(f"{_count(self.stages[ALL])} jobs, {self._time_left()}; now {at_work}")

    def close(self) -> None:
        """Say how it ended, and how to go on. Snakemake calls this more than once."""
        super().close()
        if self.stdout is not None:
            self._read()
            os.dup2(self.stdout, 1)
            self.stdout = None
        if self.stages:
            whole, self.stages = self.stages[ALL], {}
            self._print(f"{_count(whole)} jobs are done, after {duration(whole.elapsed)}.")
            if whole.remaining:
                again = os.environ.get("CALLED_AS") or shlex.join(["snakemake", *sys.argv[1:]])
                self._print(f"They stay, and trainings have checkpoints. To go on: {again}")

    def _add_bar(self, name: str, total: int | None, **fields) -> Task:
        self.progress.add_task(name, total=total, said="", **fields)
        return self.progress.tasks[-1]

    def _print(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)

    def _draw(self) -> Panel:
        """Return the display; Live asks for it several times a second."""
        if self.stdout is not None:
            self._read()
        for rule, bar in self.stages.items():
            each = f"{duration(mean(self.took[rule]))} each" if rule in self.took else ""
            clock = f"{duration(bar.elapsed)} gone, {self._time_left()}" if rule == ALL else each
            self.progress.update(bar.id, said=", ".join(filter(None, [_count(bar), clock])))
        stages = [bar for bar in self.stages.values() if bar.total > 1]
        shown = [*stages, *list(self.jobs.values())]
        return Panel(self.progress.make_tasks_table(shown), border_style="dim")

    def _read(self) -> None:
        """Take what jobs have printed since the last time: how far they are; show the rest."""
        new = os.pread(self.said.fileno(), 1 << 20, self.place)
        whole_lines = new[: new.rfind(b"\n") + 1]
        self.place += len(whole_lines)
        for line in whole_lines.decode(errors="replace").splitlines():
            if not (found := SAID.fullmatch(line)):
                self._print(line)
                continue
            what, done, total, detail = found.groups()
            for bar in list(self.jobs.values()):
                if what.startswith(bar.fields["rule"]) and bar.fields["run"] in what:
                    self.progress.update(bar.id, completed=int(done), total=int(total))
                    left = bar.time_remaining and f"{duration(bar.time_remaining)} left"
                    said = ", ".join(filter(None, [_count(bar), left, detail]))
                    self.progress.update(bar.id, said=said)

    def _time_left(self) -> str:
        """Return the time until all jobs are done, as far as the stages are known."""
        running = [(bar.fields["rule"], bar) for bar in list(self.jobs.values())]
        known = {
            rule: bar.elapsed + bar.time_remaining for rule, bar in running if bar.time_remaining
        }
        known |= {rule: mean(seconds) for rule, seconds in self.took.items()}
        seen = EXPECTED.keys() & known
        if not seen:
            return "time left not known yet"
        scale = sum(known[rule] for rule in seen) / sum(EXPECTED[rule] for rule in seen)
        seconds, longest = 0.0, 0.0
        for rule, stage in self.stages.items():
            if rule != ALL:
                each = known.get(rule, max(AT_LEAST, scale * EXPECTED.get(rule, 0)))
                bars = [bar for of, bar in running if of == rule]
                left = [bar.time_remaining or max(0.0, each - bar.elapsed) for bar in bars]
                share = self.share.get(rule, 1 / self.limits["cores"])
                seconds += share * (sum(left) + each * (stage.remaining - len(left)))
                longest = max([longest, *left])
        return f"about {duration(max(seconds, longest))} left"


def _count(bar: Task) -> str:
    return f"{bar.completed:.0f}/{bar.total:.0f}"


class LogHandler(rich_plugin.LogHandler):
    """What Snakemake loads."""

    def __post_init__(self) -> None:
        """Put the display in the place of that of `rich`, if anything is to run."""
        super().__post_init__()
        if not self.settings.dryrun:
            self.event_handler = Experiment(self.console, self.settings)
