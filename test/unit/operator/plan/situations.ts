// What the golden files show of a plan: all of it where objects are made, and else what it does, so that people can read it.

import { isSame } from '../../../../src/kube/json.ts';
import type { Deployment } from '../../../../src/operator/plan/deployment.ts';
import type { Manifest, Plan } from '../../../../src/operator/plan/types.ts';
import { stringify } from '../../../../src/config/yaml.ts';

export function yaml(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 140 });
}

/** Objects without what all of them have: namespace, owner and the usual labels. */
function short(object: Manifest): object {
  const { metadata, ...rest } = object;
  const { name, annotations, labels = {} } = metadata;
  const own = Object.entries(labels).filter(([key]) => !key.startsWith('app.kubernetes.io/') && key !== 'kimserver.io/cluster');
  const more = { ...(own.length > 0 && { labels: Object.fromEntries(own) }), ...(annotations && { annotations }) };
  const { apiVersion, kind, ...content } = rest;
  return { apiVersion, kind, metadata: { name, ...more }, ...content };
}

/** All objects that are made. */
export function whole({ apply }: Plan): string {
  return yaml(apply.map(short));
}

/** Objects that a plan has and the usual one has not, what is different in others, and the names of those that it lacks. */
export function unlike(plan: Plan, usual: Plan): string {
  const twin = (one: Manifest, { apply }: Plan) =>
    apply.find(({ kind, metadata }) => kind === one.kind && metadata.name === one.metadata.name);
  const different = plan.apply.flatMap((object) => {
    const other = twin(object, usual);
    return other === undefined
      ? [{ new: short(object) }]
      : isSame(object, other)
        ? []
        : [{ [titleOf(object)]: difference(short(object), short(other)) }];
  });
  const missing = usual.apply.filter((object) => twin(object, plan) === undefined).map(titleOf);
  const valid = plan.status.conditions?.find(({ type }) => type === 'ConfigValid');
  const notes = valid?.reason === 'Valid' ? {} : { notes: valid?.message };
  return yaml({ ...notes, ...(missing.length > 0 && { missing }), different });
}

/** Only what is not the same; what is missing is null. Lists of as many parts are compared part by part. */
function difference(value: unknown, usual: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(usual) && value.length === usual.length) {
    return value.flatMap((one: unknown, i) => (isSame(one, usual[i]) ? [] : [difference(one, usual[i])]));
  }
  if (!isObject(value) || !isObject(usual)) return value;
  const keys = [...new Set([...Object.keys(value), ...Object.keys(usual)])].filter((key) => !isSame(value[key], usual[key]));
  return Object.fromEntries(keys.map((key) => [key, value[key] === undefined ? null : difference(value[key], usual[key])]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function titleOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}

/** What a plan does with a cluster that is there: numbers of pods, actions, events, and what it says about it. */
export function doings(plan: Plan): string {
  const { apply, remove, actions, events, status, requeueMs } = plan;
  const deployments = apply.filter(({ kind }) => kind === 'Deployment') as Deployment[];
  const { conditions = [], summary, gate, logic, lastDrain, plan: dryRun } = status;
  return yaml({
    deployments: Object.fromEntries(
      deployments.map(({ metadata, spec }) => [
        metadata.name,
        { replicas: spec.replicas, paused: spec.paused, annotations: metadata.annotations },
      ]),
    ),
    ...(apply.length === 0 && { apply: 'nothing' }),
    remove: remove.map(({ kind, name }) => `${kind} ${name}`),
    actions,
    events: events.map(({ type, reason, note }) => `${type} ${reason}: ${note}`),
    conditions: Object.fromEntries(conditions.map(({ type, status: is, reason, message }) => [type, `${is} ${reason}: ${message}`])),
    summary,
    draining: [...(gate?.draining ?? []), ...(logic?.draining ?? [])],
    ...(lastDrain && { lastDrain }),
    ...(dryRun && { plan: dryRun }),
    requeueMs,
  });
}
