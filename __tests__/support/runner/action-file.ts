/** `action.yml` of a JavaScript action: the parts that the runner uses. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface ActionInput {
  readonly default?: string;
  readonly deprecationMessage?: string;
}

export interface ActionFile {
  readonly folder: string;
  readonly name: string;
  readonly inputs: ReadonlyMap<string, ActionInput>;
  /** Absolute paths. */
  readonly main: string;
  readonly post?: string;
  readonly postIf: string;
}

export function readActionFile(folder: string): ActionFile {
  const document = record(parse(readFileSync(join(folder, 'action.yml'), 'utf8')), 'action.yml');
  const runs = record(document['runs'], 'runs');
  const using = string(runs['using'], 'runs.using');
  if (!/^node\d+$/.test(using)) throw new Error(`only JavaScript actions run here, not '${using}'`);
  const inputs = Object.entries(record(document['inputs'] ?? {}, 'inputs'));
  return {
    folder,
    name: string(document['name'], 'name'),
    inputs: new Map(inputs.map(([name, value]) => [name, inputOf(name, value)])),
    main: join(folder, string(runs['main'], 'runs.main')),
    ...(runs['post'] === undefined ? {} : { post: join(folder, string(runs['post'], 'runs.post')) }),
    postIf: string(runs['post-if'] ?? 'always()', 'runs.post-if'),
  };
}

/** The runner's names for inputs: upper case, a space becomes `_`, and a hyphen stays (ActionRunner, `INPUT_`). */
export const inputVariable = (name: string): string => `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;

function inputOf(name: string, value: unknown): ActionInput {
  const { default: fallback, deprecationMessage } = record(value ?? {}, `inputs.${name}`);
  return {
    ...(fallback === undefined || fallback === null
      ? {}
      : { default: scalar(fallback, `inputs.${name}.default`) }),
    ...(typeof deprecationMessage === 'string' ? { deprecationMessage } : {}),
  };
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${where} is not a mapping`);
  }
  return value as Record<string, unknown>;
}

function string(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new Error(`${where} is not a string`);
  return value;
}

/** Defaults may be numbers and booleans; actions get strings. */
function scalar(value: unknown, where: string): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return string(value, where);
}
