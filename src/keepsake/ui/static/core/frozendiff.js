// The comparison in an export, where no server makes it: names and values, from what was exported of each experiment.
// The same document as the endpoint `diff` has, without files and tensors.

import { getJson } from "./api.js";
import { flatten } from "./flatten.js";
import { toNumber } from "./values.js";

// `sides` are {id, choice}, as an address has them.
export async function frozenDiff(sides) {
  const experiments = await Promise.all(sides.map(({ id }) => getJson(`experiments/${id}`)));
  const chosen = experiments.map((experiment, side) => chooseCheckpoint(experiment, sides[side].choice));
  const environments = experiments.map(({ environment }) => environment ?? {});
  const apart = ({ git: _git, python_packages: _packages, notebook: _notebook, ...rest }) => rest;
  return {
    sides: experiments.map((experiment, side) => describeSide(experiment, chosen[side])),
    params: compareValues(experiments.map(({ params }) => params)),
    metrics: compareMetrics(chosen),
    environment: compareValues(environments.map(apart)),
    packages: compareValues(environments.map(({ python_packages }) => python_packages)),
    git: compareValues(environments.map(({ git }) => git)),
  };
}

// As `keepsake diff`: the one that is named by its step, else the best, else the latest.
function chooseCheckpoint({ checkpoints, best_checkpoint, latest_checkpoint }, choice) {
  const named = choice && choice !== "best" && choice !== "latest" ? checkpoints.findLast((one) => String(one.step) === choice) : null;
  const id = choice === "latest" ? latest_checkpoint : (best_checkpoint ?? latest_checkpoint);
  return named ?? checkpoints.find((one) => one.id === id) ?? null;
}

function describeSide(experiment, checkpoint) {
  return {
    id: checkpoint?.id ?? experiment.id, experiment_id: experiment.id, checkpoint_id: checkpoint?.id ?? null,
    chosen: checkpoint && checkpoint.id === experiment.best_checkpoint ? "best" : checkpoint ? "latest" : null,
    name: experiment.name, status: experiment.status, created: checkpoint?.created ?? experiment.created,
    step: checkpoint?.step ?? null, path: checkpoint?.path ?? null,
  };
}

function compareValues(sides) {
  const flat = sides.map((values) => new Map(flatten(values)));
  const names = [...new Set(flat.flatMap((values) => [...values.keys()]))].sort();
  return names.map((name) => ({ name, values: flat.map((values) => values.get(name) ?? null), is_set: flat.map((values) => values.has(name)) }));
}

function compareMetrics(checkpoints) {
  const goals = new Map(checkpoints.filter((one) => one?.primary_metric).map((one) => [one.primary_metric.name, one.primary_metric.goal]));
  const rows = compareValues(checkpoints.map((one) => one?.metrics)).map((row) => {
    const [first, ...others] = row.values.map(toNumber);
    const differences = [first, ...others].map((value) => (value === null || first === null ? null : value - first));
    return { ...row, goal: goals.get(row.name) ?? null, differences };
  });
  return [...rows.filter((row) => row.goal), ...rows.filter((row) => !row.goal)];
}
