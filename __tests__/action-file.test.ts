import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { defaults } from '../src/action/input.ts';

interface Field {
  readonly description: string;
  readonly default?: string;
}

const file = readFileSync(join(dirname(import.meta.dirname), 'action.yml'), 'utf8');
const action = parse(file) as { inputs: Record<string, Field>; outputs: Record<string, Field> };

describe('action.yml', () => {
  it('describes each input and output completely: in YAML, a # after a space starts a comment', () => {
    const all = Object.entries({ ...action.inputs, ...action.outputs });
    expect(all.filter(([, { description }]) => !/[.…]$/.test(description))).toEqual([]);
  });

  it('has the same defaults as an empty input', () => {
    const given = Object.entries(action.inputs).filter(([, field]) => field.default !== undefined);
    expect(Object.fromEntries(given.map(([name, field]) => [name, field.default]))).toEqual(defaults);
  });
});
